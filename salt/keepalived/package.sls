# keepalived, and psmisc for killall. On Debian the package starts keepalived, but its unit does
# nothing without a configuration.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
  - keepalived.valid
{%- if keepalived.synced %}

keepalived-package-installed:
  pkg.installed:
    - pkgs:
      {%- for package in keepalived.packages %}
      {%- if package == "keepalived" and keepalived.package.get("version") %}
      - {{ package }}: {{ keepalived.package.version | string | json }}
      {%- else %}
      - {{ package }}
      {%- endif %}
      {%- endfor %}
    - require:
      - keepalived_pillar: keepalived-pillar-valid

keepalived-version-supported:
  keepalived.version_supported:
    - minimum: {{ keepalived.minimum_version | json }}
    - require:
      - pkg: keepalived-package-installed
{%- endif %}
