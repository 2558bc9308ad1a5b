# For the reactor of the master, on salt/beacon/*/keepalived/*/*, on what the hub tells of incidents
# (keepalived/*/*/opened, resolved) and of a maintenance that has ended: tells people.
#
# The event goes to the runner as JSON inside a JSON string, and nothing of it is read here: any
# minion can put any text into an event, and as text it can neither end this YAML nor change it.
# Heartbeats, one a node every ten seconds, are nobody's business here.
{%- if not tag.endswith("/node/heartbeat") %}

keepalived_alert:
  runner.keepalived.react:
    - args:
        - kind: alert
        - tag: {{ tag | tojson }}
        - event: {{ data | tojson | tojson }}
{%- endif %}
