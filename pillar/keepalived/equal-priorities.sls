# Three equal controllers: among healthy nodes the one with the highest address on eth1 holds the
# VIP. It works, but nobody can read from this file which node that is; classic.sls can.
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
        virtual_router_id: 52
        # Equal numbers belong here; under keepalived:priorities they would be an error.
        priority: 101
        virtual_ipaddress:
          - 192.168.1.220 dev eth1
        track_script:
          - chk_haproxy
  nodes:
    controller1: {}
    controller2: {}
    controller3: {}
  remediation:
    chk_haproxy: {restart_service: haproxy, cooldown: 60}
