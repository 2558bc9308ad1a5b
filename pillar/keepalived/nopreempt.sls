# Three equal controllers, and a VIP that does not move without need: a node that comes back does
# not take it away from the one that serves. Who is master after a failure is therefore open, and
# with equal priorities the highest address wins the first election.
#
# nopreempt needs state BACKUP on every node.
keepalived:
  cluster: controllers
  config:
    global_defs:
      enable_script_security: true
      script_user: root
    vrrp_script:
      chk_haproxy:
        script: /usr/bin/killall -0 haproxy
        interval: 2
    vrrp_instance:
      VI_PUBLIC:
        interface: eth1
        state: BACKUP
        nopreempt: true            # true writes the word, false leaves it out
        virtual_router_id: 52
        # Equal numbers belong here; under keepalived:priorities they would be an error.
        priority: 101
        virtual_ipaddress:
          - 192.168.1.220 dev eth1
        # Without weight, a failing check means FAULT, and that moves the VIP. A check that only
        # lowers the priority would do nothing against peers with nopreempt.
        track_script:
          - chk_haproxy
  nodes:
    controller1: {}
    controller2: {}
    controller3: {}
  remediation:
    chk_haproxy: {restart_service: haproxy, cooldown: 60}
