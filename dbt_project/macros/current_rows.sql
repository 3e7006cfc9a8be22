{#
  The current state of a raw table, replayed from its loads. The only implementation of replay (docs/architecture.md, "Replay").

  Use it as the relation of a staging model:

      {{ config(unique_key = ['record_token', 'problem_id']) }}
      select ... from {{ current_rows('gp_emis', 'problem') }} as problem

  Returns a parenthesised sub-select with every raw column except `_line`, and with
    is_deleted    the key is gone: a tombstone, kept so that models downstream can forget the key
    _load_seq     load that brought the row, or whose silence removed it
    _changed_seq  load that last changed content or deletion

  A key's current row is its newest version by the contract's `order_by` columns, then load, then line, among versions
  that are not older than the latest `full` load of their window. A key that was never alive leaves no tombstone, unless the
  contract orders versions: then a delete that came first must still overrule an older version that comes late.
  A tombstone made by a full load's silence keeps the last content, so that models that join it learn of it, and has no row hash;
  one sent by the supplier carries what was sent.

  `keep` is a predicate on the raw rows, aliased `candidate`, for suppliers whose rules make some versions void.

  On an incremental run only keys that a new load touches are returned. The model must carry, under their raw names, the raw
  key, the `order_by` columns, `_load_seq`, `_changed_seq`, `_window`, `_row_hash` and `is_deleted`, and its `unique_key`
  must be the raw key.
#}
{% macro current_rows(source_name, table_name, keep=none) -%}
    {%- set rows = source(source_name, table_name) -%}
    {%- if keep -%}
        {%- set rows = '(select candidate.* from ' ~ rows ~ ' as candidate where ' ~ keep ~ ')' -%}
    {%- endif -%}
    {%- set windows = source('operations', 'delivery_window') -%}
    {%- if not execute -%}
        (select *, null as is_deleted, null as _changed_seq from {{ rows }})
    {%- else -%}
        {%- set terms = table_terms(source_name, table_name) -%}
        {%- if is_incremental() -%}
            {{ _current_rows_incremental(rows, windows, source_name, table_name, terms) }}
        {%- else -%}
            {{ _current_rows_full(rows, windows, source_name, table_name, terms) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# The facts replay needs from a table's contract: raw key, version order, and whether a key can move between windows. #}
{% macro table_terms(source_name, table_name) -%}
    {%- set found = namespace(table=none) -%}
    {%- for node in graph.sources.values() if node.source_name == source_name and node.name == table_name -%}
        {%- set found.table = node -%}
    {%- endfor -%}
    {%- set contract = found.table.config.meta.contract or found.table.meta.contract -%}
    {%- if not contract or not contract.key -%}
        {{ exceptions.raise_compiler_error('source ' ~ source_name ~ '.' ~ table_name ~ ' has no config.meta.contract with a key; add it to _' ~ source_name ~ '__sources.yml') }}
    {%- endif -%}
    {%- set key = [] -%}
    {%- for name in contract.key -%}
        {%- set column = found.table.columns[name] -%}
        {%- set terms = (column.config.meta if column.config else column.meta).contract or {} -%}
        {%- set roles = terms.identity or [] -%}
        {%- set roles = [roles] if roles is string else roles -%}
        {%- set tokens = {'record_id': 'record_token', 'related_record_id': name ~ '_token', 'postcode': 'postcode_token', 'uprn': 'address_token'} -%}
        {%- set found_token = namespace(name=name) -%}
        {%- for role, token in tokens.items() if role in roles and found_token.name == name -%}
            {%- set found_token.name = token -%}
        {%- endfor -%}
        {%- do key.append(found_token.name) if found_token.name not in key -%}
    {%- endfor -%}
    {%- set wandering = [] -%}
    {%- for name in contract.window or [] if name not in contract.key -%}
        {%- do wandering.append(name) -%}
    {%- endfor -%}
    {{- return({'key': key, 'order_by': contract.order_by or [], 'keys_move_between_windows': wandering | length > 0}) -}}
{%- endmacro %}


{# CTE text: the latest full load of each window of one table. #}
{% macro _full_load(windows, source_name, table_name) -%}
    select
        coalesce("window", '') as full_window,
        cast(max(load_seq) as integer) as full_seq
    from {{ windows }}
    where source = '{{ source_name }}' and table_name = '{{ table_name }}' and mode = 'full'
    group by coalesce("window", '')
{%- endmacro %}


{# order by text: newest version first. #}
{% macro _newest_first(order_by) -%}
    {%- for column in order_by %}{{ column }} desc nulls last, {% endfor %}_load_seq desc, _line desc nulls last
{%- endmacro %}


{#
  Replay of everything. Only keys with several versions are ranked: found by a hash of the key, so that a bulk load of tens of
  millions of single versions streams through without a sort.
#}
{% macro _current_rows_full(rows, windows, source_name, table_name, terms) -%}
{%- set key = terms.key | join(', ') -%}
(
    with full_load as (
        {{ _full_load(windows, source_name, table_name) }}
    ),

    contested as (
        select hash({{ key }}) as key_hash
        from {{ rows }}
        group by hash({{ key }})
        having count(*) > 1
    ),

    version as (
        select
            rows.*,
            full_load.full_seq as _full_seq,
            coalesce(rows._load_seq >= full_load.full_seq, true) as _is_standing
        from {{ rows }} as rows
        left join full_load
            on coalesce(rows._window, '') = full_load.full_window
    ),

    latest as (
        select
            version.*,
            not _is_deleted as _was_live
        from version
        where hash({{ key }}) not in (select key_hash from contested)

        union all

        select
            version.*,
            bool_or(not _is_deleted) over (partition by {{ key }}) as _was_live
        from version
        where hash({{ key }}) in (select key_hash from contested)
        qualify row_number() over (
            partition by {{ key }}
            order by _is_standing desc, {{ _newest_first(terms.order_by) }}
        ) = 1
    )

    select
        * exclude (_line, _is_deleted, _full_seq, _is_standing, _was_live)
        replace (
            case when _is_standing then _load_seq else _full_seq end as _load_seq,
            case when _is_standing then _row_hash end as _row_hash
        ),
        _is_deleted or not _is_standing as is_deleted,
        case when _is_standing then _load_seq else _full_seq end as _changed_seq
    from latest
    where _was_live{{ ' or _is_standing' if terms.order_by }}
)
{%- endmacro %}


{# Replay of what the model has not seen. #}
{% macro _current_rows_incremental(rows, windows, source_name, table_name, terms) -%}
{%- set key = terms.key | join(', ') -%}
{%- set seen = _seen_load_seq() -%}
(
    with held as (
        select
            {{ key }},
            {%- for column in terms.order_by if column not in terms.key %}
            {{ column }},
            {%- endfor %}
            _load_seq,
            _changed_seq,
            _window,
            _row_hash,
            is_deleted
        from {{ this }}
    ),

    full_load as (
        {{ _full_load(windows, source_name, table_name) }}
    ),

    -- held rows whose window a new full load has emptied
    emptied as (
        select
            held.*,
            full_load.full_seq
        from held
        inner join full_load
            on coalesce(held._window, '') = full_load.full_window
        where full_load.full_seq > {{ seen }} and held._load_seq < full_load.full_seq
    ),

    version as (
        select rows.*
        from {{ rows }} as rows
        where rows._load_seq > {{ seen }}
        {%- if terms.keys_move_between_windows and _has_new_full_load(windows, source_name, table_name, seen) %}

        -- an emptied key may still stand in another window, where the emptied version had overtaken it
        union all by name

        select rows.*
        from {{ rows }} as rows
        where rows._load_seq <= {{ seen }}
            and exists (select 1 from emptied where {{ _same_key('emptied', 'rows', terms.key) }})
        {%- endif %}
    ),

    standing as (
        select version.*
        from version
        left join full_load
            on coalesce(version._window, '') = full_load.full_window
        where coalesce(version._load_seq >= full_load.full_seq, true)
    ),

    -- what is held competes with what arrived: an older version may arrive late
    contender as (
        select
            standing.*,
            false as _is_held
        from standing

        union all by name

        select
            held.*,
            true as _is_held
        from held
        left join full_load
            on coalesce(held._window, '') = full_load.full_window
        where coalesce(held._load_seq >= full_load.full_seq, true)
            and exists (select 1 from standing where {{ _same_key('standing', 'held', terms.key) }})
            and not (held.is_deleted and held._row_hash is null)
    ),

    winner as (
        select contender.* exclude (is_deleted, _changed_seq)
        from contender
        qualify row_number() over (partition by {{ key }} order by {{ _newest_first(terms.order_by) }}) = 1
    ),

    arrived as (
        select
            winner.* exclude (_line, _is_deleted, _is_held),
            winner._is_deleted as is_deleted,
            case
                when held._row_hash = winner._row_hash and held.is_deleted = winner._is_deleted then held._changed_seq
                else greatest(winner._load_seq, coalesce(emptied.full_seq, 0))
            end as _changed_seq
        from winner
        left join held
            on {{ _same_key('winner', 'held', terms.key) }}
        left join emptied
            on {{ _same_key('winner', 'emptied', terms.key) }}
        where not winner._is_held
            {%- if not terms.order_by %}
            and not (winner._is_deleted and held._load_seq is null)
            {%- endif %}
    ),

    fallen_silent as (
        select
            gone.* replace (
                emptied.full_seq as _load_seq,
                emptied.full_seq as _changed_seq,
                null as _row_hash,
                true as is_deleted
            )
        from {{ this }} as gone
        inner join emptied
            on {{ _same_key('gone', 'emptied', terms.key) }}
        where not gone.is_deleted
            and not exists (select 1 from standing where {{ _same_key('standing', 'emptied', terms.key) }})
    )

    select * from arrived
    union all by name
    select * from fallen_silent
)
{%- endmacro %}


{# join text: two relations agree on the raw key. #}
{% macro _same_key(left, right, key) -%}
    {%- for column in key %}{{ left }}.{{ column }} is not distinct from {{ right }}.{{ column }}{{ ' and ' if not loop.last }}{% endfor -%}
{%- endmacro %}


{#
  The newest load the model has seen: a literal, because a literal lets DuckDB skip the Parquet files of older loads.
  A unit test's `this` is not in the database, so there it is a sub-select.
#}
{% macro _seen_load_seq() -%}
    {%- set query = 'select coalesce(max(_load_seq), 0) from ' ~ this -%}
    {%- if model.resource_type == 'unit_test' -%}
        ({{ query }})
    {%- else -%}
        {{ run_query(query).rows[0][0] | int }}
    {%- endif -%}
{%- endmacro %}


{% macro _has_new_full_load(windows, source_name, table_name, seen) -%}
    {%- if model.resource_type == 'unit_test' -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set query = 'select count(*) from (' ~ _full_load(windows, source_name, table_name) ~ ') where full_seq > ' ~ seen -%}
    {{ return(run_query(query).rows[0][0] > 0) }}
{%- endmacro %}
