-- Do somebody's contacts come later in the year than everybody's? Given how many contacts a person had with a service, chance puts
-- each in a month with the share of the service's contacts that fall in it. A season, a holiday and a feed that begins half-way are
-- in those shares, so they raise no alarm. The sum over services, standardised, is the score test of a log-linear trend (Cox and
-- Lewis 1966). Contacts come in bursts, so the statistic is divided by the spread it has in the whole group.
{%- set fewest_contacts = 8 %}
{%- set service_of_its_own = 500 %}
{%- set false_discovery_rate = 0.1 %}
with latest as (
    select max(month_end) as month_end
    from {{ ref('segment_month') }}
),

window_start as (
    select {{ date_plus('day', 1, month_end(dbt.dateadd('month', -12, 'latest.month_end'))) }} as starts_on
    from latest
),

contact as (
    select
        person_record.person_id,
        encounter.source,
        encounter.setting,
        encounter.organisation_code,
        cast(encounter.started_at as date) as contact_date,
        date_diff('month', window_start.starts_on, encounter.started_at) as month_number
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    cross join window_start
    cross join latest
    where encounter.setting in ('gp', 'emergency_department', 'mental_health', 'community', 'voluntary_sector')
        and encounter.is_attended is distinct from false
        and encounter.started_at >= window_start.starts_on
        and encounter.started_at < {{ date_plus('day', 1, 'latest.month_end') }}
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
        contact.source || '|' || contact.setting || '|' || case when size.is_large then contact.organisation_code else '' end as service,
        contact.contact_date,
        contact.month_number
    from contact
    inner join organisation_size as size
        on contact.source = size.source
        and contact.setting = size.setting
        and contact.organisation_code is not distinct from size.organisation_code
),

-- a person counts once a month, or the few who come very often would be what they are compared with
chance as (
    select
        service,
        avg(month_number) as mean_month,
        var_pop(month_number) as month_variance
    from (
        select distinct
            service,
            person_id,
            month_number
        from served
    ) as visitor
    group by service
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

-- who came to the place within the year has a rise of no meaning
present_all_year as (
    select distinct registration.person_id
    from {{ ref('person_registration') }} as registration
    cross join window_start
    where (registration.valid_from is null or registration.valid_from <= window_start.starts_on)
        and (registration.valid_to is null or registration.valid_to >= window_start.starts_on)
    union
    select distinct person_record.person_id
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    cross join window_start
    where encounter.started_at < window_start.starts_on
),

statistic as (
    select
        served.person_id,
        count(*) as n_contacts,
        count(*) filter (where served.month_number < 6) as n_first_half,
        count(*) filter (where served.month_number >= 6) as n_second_half,
        count(distinct served.service) as n_services,
        sum(served.month_number - chance.mean_month) / sqrt(nullif(sum(chance.month_variance), 0)) as z
    from served
    inner join chance
        on served.service = chance.service
    inner join mental_health_problem
        on served.person_id = mental_health_problem.person_id
    inner join present_all_year
        on served.person_id = present_all_year.person_id
    inner join {{ ref('person') }} as person
        on served.person_id = person.person_id
    where person.is_alive
    group by served.person_id
    having count(*) >= {{ fewest_contacts }}
),

-- the median of the square of a standard normal value is 0.4549
spread as (
    select greatest(1, median(z * z) / 0.4549) as overdispersion
    from statistic
),

tested as (
    select
        statistic.*,
        statistic.z / sqrt(spread.overdispersion) as adjusted_z
    from statistic
    cross join spread
    where statistic.z is not null
),

valued as (
    select
        tested.*,
        {{ normal_upper_tail('tested.adjusted_z') }} as p_value
    from tested
),

ranked as (
    select
        valued.*,
        row_number() over (order by p_value, person_id) as place,
        count(*) over () as n_tested
    from valued
)

select
    person_id,
    cast(n_contacts as integer) as n_contacts,
    cast(n_first_half as integer) as n_first_half,
    cast(n_second_half as integer) as n_second_half,
    cast(n_services as integer) as n_services,
    adjusted_z,
    p_value,
    place <= coalesce(
        max(case when p_value <= {{ false_discovery_rate }} * place / n_tested then place end) over (), 0
    ) as is_rising
from ranked
