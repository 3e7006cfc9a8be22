-- Do somebody's contacts rise over the year, beyond chance, courses of care, seasons and new feeds? Two questions, each answered
-- given the number of contacts, so that chance alone decides, and neither answer says anything of the other:
--
-- Do contacts come ever closer together? Between the first and the last contact of a course of care, chance spreads them evenly (the
-- test of trend of Laplace; Cox and Lewis 1966, chapter 3). A course that begins late in the year is no trend: its days are compared with
-- each other. Time runs as fast as everybody's contacts with the service come, so a season is no trend either.
--
-- Are there more than in the year before? Chance gives each contact of the two years to the last with the share that everybody's
-- have in it. A service whose feed began within the year has a share near one, and then tells nothing.
--
-- Each sum is divided by the spread that falls show in the whole group: without a rise, a fall is as likely, and nobody's rise makes
-- falls. Each is bounded, so that one long burst cannot stand for both; their sum is one standard normal value.
{%- set fewest_contacts = 12 %}
{%- set course_ends_after_days = 92 %}
{%- set service_of_its_own = 500 %}
{%- set bound = 2.33 %}
{%- set false_alarm_rate = 0.01 %}
with latest as (
    select max(month_end) as month_end
    from {{ ref('segment_month') }}
),

time_span as (
    select
        {{ date_plus('day', 1, month_end(dbt.dateadd('month', -12, 'latest.month_end'))) }} as starts_on,
        {{ date_plus('day', 1, month_end(dbt.dateadd('month', -24, 'latest.month_end'))) }} as year_before_starts_on,
        latest.month_end as ends_on
    from latest
),

-- who came to the place within the two years has a rise of no meaning
present_throughout as (
    select distinct registration.person_id
    from {{ ref('person_registration') }} as registration
    cross join time_span
    where (registration.valid_from is null or registration.valid_from <= time_span.year_before_starts_on)
        and (registration.valid_to is null or registration.valid_to >= time_span.year_before_starts_on)
    union
    select distinct person_record.person_id
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    cross join time_span
    where encounter.started_at < time_span.year_before_starts_on
),

contact as (
    select
        person_record.person_id,
        encounter.source,
        encounter.setting,
        encounter.organisation_code,
        cast(encounter.started_at as date) as contact_date
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    inner join {{ ref('person') }} as person
        on person_record.person_id = person.person_id
    cross join time_span
    where encounter.setting in ('gp', 'emergency_department', 'mental_health', 'community', 'voluntary_sector')
        and encounter.is_attended is distinct from false
        and encounter.started_at >= time_span.year_before_starts_on
        and encounter.started_at < {{ date_plus('day', 1, 'time_span.ends_on') }}
        and person.is_alive
        and person.person_id in (select present_throughout.person_id from present_throughout)
),

-- a large organisation is compared with itself, small ones with one another
organisation_size as (
    select
        source,
        setting,
        organisation_code,
        count(*) >= {{ service_of_its_own }} as is_large
    from contact
    group by source, setting, organisation_code
),

-- several contacts of one day are one: a clinic with a nurse and a doctor, a call and the visit that follows
served as (
    select distinct
        contact.person_id,
        contact.setting,
        contact.source || '|' || contact.setting || '|' || case when size.is_large then contact.organisation_code else '' end as service,
        contact.contact_date,
        contact.contact_date >= time_span.starts_on as is_last_year,
        date_diff('month', time_span.starts_on, contact.contact_date) as month_number
    from contact
    inner join organisation_size as size
        on contact.source = size.source
        and contact.setting = size.setting
        and contact.organisation_code is not distinct from size.organisation_code
    cross join time_span
),

-- everybody counts once, however often they come, or the few who come very often would be what they are compared with
visitor_month as (
    select
        service,
        month_number,
        sum(weight) as n_visitors
    from (
        select distinct
            service,
            month_number,
            person_id,
            1.0 / count(distinct month_number) over (partition by service, person_id) as weight
        from served
        where is_last_year
    ) as visitor
    group by service, month_number
),

-- the share of the service's year that has gone by when a month begins, and that goes by in it
passing as (
    select
        service,
        month_number,
        n_visitors / sum(n_visitors) over (partition by service) as share,
        sum(n_visitors) over (partition by service order by month_number) / sum(n_visitors) over (partition by service) as share_at_end
    from visitor_month
),

moment as (
    select
        served.person_id,
        served.service,
        served.contact_date,
        served.is_last_year,
        passing.share_at_end
        - passing.share * (1 - (extract(day from served.contact_date) - 0.5) / extract(day from {{ month_end('served.contact_date') }})) as passed
    from served
    left join passing
        on served.service = passing.service
        and served.month_number = passing.month_number
        and served.is_last_year
),

started as (
    select
        *,
        coalesce(
            contact_date - lag(contact_date) over (partition by person_id, service order by contact_date) > {{ course_ends_after_days }},
            true
        ) as is_start
    from moment
),

numbered as (
    select
        *,
        sum(cast(is_start as integer)) over (
            partition by person_id, service order by contact_date rows unbounded preceding
        ) as course_number
    from started
),

-- a course that was running when the year began runs from its beginning
course as (
    select
        person_id,
        case when bool_or(not is_last_year) then 0 else min(passed) end as lower,
        max(passed) as upper,
        count(passed) - case when bool_or(not is_last_year) then 1 else 2 end as n_between,
        sum(passed) - max(passed) - case when bool_or(not is_last_year) then 0 else min(passed) end as sum_between
    from numbered
    group by person_id, service, course_number
    having count(passed) > case when bool_or(not is_last_year) then 1 else 2 end
),

-- a sum of fractions hangs in its last digits on the order of the rows: nine digits do not
trend as (
    select
        person_id,
        round(
            sum(sum_between - n_between * (lower + upper) / 2) / nullif(sqrt(sum(n_between * power(upper - lower, 2) / 12)), 0), 9
        ) as z
    from course
    group by person_id
),

visit as (
    select
        person_id,
        service,
        count(*) as n_contacts,
        count(*) filter (where is_last_year) as n_last_year
    from served
    group by person_id, service
),

chance as (
    select
        service,
        avg(n_last_year / n_contacts) as share
    from visit
    group by service
),

level as (
    select
        visit.person_id,
        round(
            sum(visit.n_last_year - visit.n_contacts * chance.share)
            / nullif(sqrt(sum(visit.n_contacts * chance.share * (1 - chance.share))), 0), 9
        ) as z
    from visit
    inner join chance
        on visit.service = chance.service
    group by visit.person_id
),

mental_health_problem as (
    select person_id
    from {{ ref('person_condition') }}
    where condition_code in ('serious_mental_illness', 'depression', 'anxiety')
        and resolved_date is null
    union
    select person_record.person_id
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.setting = 'mental_health'
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}
        and encounter.started_at >= {{ date_plus('month', -24, as_of()) }}
),

person_count as (
    select
        person_id,
        count(*) as n_contacts_two_years,
        count(*) filter (where is_last_year) as n_contacts,
        {%- for quarter in range(4) %}
        count(*) filter (where is_last_year and month_number // 3 = {{ quarter }}) as n_quarter_{{ quarter + 1 }},
        {%- endfor %}
        count(distinct service) filter (where is_last_year) as n_services
    from served
    group by person_id
),

tested as (
    select
        person_count.*,
        coalesce(trend.z, 0) as trend_z,
        coalesce(level.z, 0) as level_z
    from person_count
    inner join mental_health_problem
        on person_count.person_id = mental_health_problem.person_id
    left join trend
        on person_count.person_id = trend.person_id
    left join level
        on person_count.person_id = level.person_id
    where person_count.n_contacts_two_years >= {{ fewest_contacts }}
),

-- one fall in forty lies below -1.96 when there is nothing but chance
spread as (
    select
        {%- for z in ['trend_z', 'level_z'] %}
        greatest(1, coalesce(quantile_cont(-{{ z }}, 0.95) filter (where {{ z }} < 0) / 1.96, 1)) as {{ z }}{{ ',' if not loop.last }}
        {%- endfor %}
    from tested
),

valued as (
    select
        tested.*,
        (
            least({{ bound }}, greatest(-{{ bound }}, tested.trend_z / spread.trend_z))
            + least({{ bound }}, greatest(-{{ bound }}, tested.level_z / spread.level_z))
        ) / sqrt(2) as adjusted_z
    from tested
    cross join spread
)

select
    person_id,
    cast(n_contacts as integer) as n_contacts,
    cast(n_contacts_two_years - n_contacts as integer) as n_contacts_year_before,
    {%- for quarter in range(1, 5) %}
    cast(n_quarter_{{ quarter }} as integer) as n_quarter_{{ quarter }},
    {%- endfor %}
    cast(n_services as integer) as n_services,
    trend_z,
    level_z,
    adjusted_z,
    {{ normal_upper_tail('adjusted_z') }} as p_value,
    {{ normal_upper_tail('adjusted_z') }} <= {{ false_alarm_rate }} as is_rising
from valued
