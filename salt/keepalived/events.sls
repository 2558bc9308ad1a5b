# The beacon that puts the watch's record on the event bus, as a file of its own in minion.d: a
# pillar key "beacons" would switch off every other beacon of the minion.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
{%- if keepalived.synced %}

keepalived-events-settings:
  keepalived_minion.minion_settings:
    - name: {{ keepalived.minion_settings }}

keepalived-events-in-force:
  keepalived_minion.settings_in_force:
    - name: {{ keepalived.minion_service }}
    - files:
      - {{ keepalived.minion_settings }}
    - require:
      - keepalived_minion: keepalived-events-settings
{%- endif %}
