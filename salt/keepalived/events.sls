# Relay and beacon, which put the watch's record on the event bus, as a file of their own in
# minion.d: a pillar key "beacons" would switch off every other beacon of the minion. The relay is
# an engine, so it is new settings *or* new code that ask for a restart of the minion.
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
    - files: {{ ([keepalived.minion_settings] + salt["keepalived_minion.relay_code"]()) | json }}
    - require:
      - keepalived_minion: keepalived-events-settings
{%- endif %}
