{#
  A row per position of a repeating block of coded columns `<block>_01`, `<block>_02`, ..., empty positions included: select
  item `coded.n`, `coded.code` and, when `dated`, `coded.coded_on` from the columns `<block>_01_date`, ....

  Empty positions stay because a refreshed record may have fewer codes than before: an event downstream is forgotten only when
  its key comes back as deleted.
#}
{% macro coded_positions(block, n, dated=false) -%}
    unnest([
        {%- for i in range(1, n + 1) %}
        {%- set column = '%s_%02d' % (block, i) %}
        {'n': {{ i }}, 'code': {{ column }}{{ ", 'coded_on': %s_date" % column if dated }}}{{ ',' if not loop.last }}
        {%- endfor %}
    ])
{%- endmacro %}
