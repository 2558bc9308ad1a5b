# The watch: a small service that notes every VRRP transition of this node on disk. It runs under
# Salt's own Python with the standard library alone.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
  - keepalived.valid
{%- if keepalived.synced and not keepalived.systemd %}

keepalived-watch-skipped:
  test.show_notification:
    - text: no systemd here, so the watch is left out; the beacon looks once a second instead (docs/events.md)
{%- elif keepalived.synced %}

keepalived-watch-installed:
  keepalived.watch_installed:
    - require:
      - keepalived_pillar: keepalived-pillar-valid

keepalived-watch-tmpfiles:
  file.managed:
    - name: {{ keepalived.tmpfiles }}
    - source: salt://keepalived/files/salt-keepalived.tmpfiles.conf
    - user: root
    - group: root
    - mode: '0644'

keepalived-watch-unit:
  file.managed:
    - name: {{ keepalived.watch_unit }}
    - source: salt://keepalived/files/salt-keepalived-watch.service
    - template: jinja
    - context: {{ {"python": grains.pythonexecutable} | json }}
    - user: root
    - group: root
    - mode: '0644'

keepalived-watch-running:
  service.running:
    - name: {{ keepalived.watch_service }}
    - enable: True
    - watch:
      - keepalived: keepalived-watch-installed
      - file: keepalived-watch-tmpfiles
      - file: keepalived-watch-unit
{%- endif %}
