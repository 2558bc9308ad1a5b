# A router with one VIP on each side: they must be on the same node, so they move together. The
# check stands in one instance; when it fails there, the whole group goes to FAULT.
keepalived:
  cluster: routers
  config:
    global_defs:
      enable_script_security: true
      script_user: root
    vrrp_script:
      chk_haproxy:
        script: /usr/bin/killall -0 haproxy
        interval: 2                # no weight: keepalived ignores weighted checks in a group
    vrrp_instance:
      VI_PUBLIC:
        interface: eth1
        state: BACKUP
        virtual_router_id: 52
        virtual_ipaddress:
          - 192.168.1.220 dev eth1
        track_script:
          - chk_haproxy
      VI_INTERNAL:
        interface: eth2
        state: BACKUP
        virtual_router_id: 53
        virtual_ipaddress:
          - 10.0.0.1/24 dev eth2
    vrrp_sync_group:
      VG1:
        group: [VI_PUBLIC, VI_INTERNAL]
  nodes:
    controller1: {}
    controller2: {}
  # The order must be the same for all members of a group.
  priorities:
    VI_PUBLIC: [controller1, controller2]
    VI_INTERNAL: [controller1, controller2]
