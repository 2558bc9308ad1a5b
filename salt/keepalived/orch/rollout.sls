# salt-run state.orchestrate keepalived.orch.rollout pillar='{"cluster": "controllers"}'
#
# The same as salt-run keepalived.rollout CLUSTER, as a step for an orchestration of your own
# (include it, or require it by its id).
keepalived_rollout:
  salt.runner:
    - name: keepalived.rollout
    - cluster: {{ pillar.get("cluster", "") | json }}
    - raw: True
