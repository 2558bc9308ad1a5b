# keepalived.conf from pillar: judged, swapped in, reloaded, verified, or put back; all of that is in
# the state keepalived.managed, which reads the pillar itself. What can be felt (a moving address, a
# restart, two masters until all nodes have it) it refuses, unless the pillar key allow_disruptive
# says otherwise; salt-run keepalived.rollout does that with the least harm.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
  - keepalived.package
  - keepalived.scripts
  - keepalived.firewall
  - keepalived.watch
{%- if keepalived.synced %}

keepalived-config:
  keepalived.managed:
    - name: {{ keepalived.config_file }}
    - require:
      - keepalived: keepalived-version-supported
      {%- for path in keepalived.scripts %}
      - file: {{ ("keepalived-script-" ~ path) | json }}
      {%- endfor %}
      {%- if keepalived.firewall.get("vrrp", True) is not sameas false %}
      # A node that hears no adverts makes itself master.
      - keepalived_firewall: keepalived-firewall-vrrp
      {%- endif %}
      {%- if keepalived.systemd %}
      # The configuration names the watch's FIFO; keepalived never removes one it finds.
      - keepalived: keepalived-watch-installed
      {%- endif %}
{%- endif %}
