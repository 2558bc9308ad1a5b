# For the reactor of the master, on salt/beacon/*/keepalived/*/FAULT and keepalived/*/*/opened: does
# what the node's pillar allows (keepalived:remediation, keepalived:policy).
#
# The event goes to the runner as JSON inside a JSON string, and nothing of it is read here: any
# minion can put any text into an event, and as text it can neither end this YAML nor change it.
keepalived_remediate:
  runner.keepalived.react:
    - args:
        - kind: remediate
        - tag: {{ tag | tojson }}
        - event: {{ data | tojson | tojson }}
