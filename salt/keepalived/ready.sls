# What a new configuration counts on, before it stands anywhere; all of it only adds, and nothing
# here touches keepalived. The rollout applies it on every node first.
include:
  - keepalived.modules
  - keepalived.valid
  - keepalived.scripts
  - keepalived.firewall
