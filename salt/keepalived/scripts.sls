# Check and notify scripts, before the configuration that names them: keepalived drops a script
# that it cannot find or that somebody else could write.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
  - keepalived.valid
{%- if keepalived.synced %}
{%- for path, script in keepalived.scripts.items() %}

{{ ("keepalived-script-" ~ path) | json }}:
  file.managed:
    - name: {{ path | json }}
    {%- if script.get("source") %}
    - source: {{ script.source | json }}
    {%- else %}
    - contents: {{ script.contents | json }}
    {%- endif %}
    - user: {{ script.get("user", "root") | json }}
    - group: {{ script.get("group", "root") | json }}
    - mode: {{ script.get("mode", "0755") | string | json }}
    - makedirs: True
    - dir_mode: '0755'
    {%- if keepalived.selinux and keepalived.script_context %}
    - selinux: {{ keepalived.script_context | json }}
    {%- endif %}
    - require:
      - keepalived_pillar: keepalived-pillar-valid
{%- endfor %}
{%- endif %}
