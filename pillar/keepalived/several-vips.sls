# Two VIPs at home on different nodes, so that both nodes work: each is the other's backup. Two
# instances on one network need two virtual_router_ids.
keepalived:
  cluster: controllers
  config:
    global_defs:
      enable_script_security: true
      script_user: root
    vrrp_script:
      # A script of our own, deployed below before keepalived.conf names it.
      chk_http:
        script: /usr/libexec/keepalived/check-http.sh
        interval: 2
        timeout: 1                 # no answer after this many seconds counts as failed
        fall: 2                    # this many failures in a row before it counts
        rise: 2
    vrrp_instance:
      VI_WEB:
        interface: eth1
        state: BACKUP
        virtual_router_id: 52
        # All addresses of one instance move together.
        virtual_ipaddress:
          - 192.168.1.220 dev eth1
          - 192.168.1.221 dev eth1
        track_script:
          - chk_http
      VI_API:
        interface: eth1
        state: BACKUP
        virtual_router_id: 53
        virtual_ipaddress:
          - 192.168.1.230 dev eth1
        track_script:
          - chk_http
  nodes:
    controller1: {}
    controller2: {}
    controller3: {}
  priorities:
    VI_WEB: [controller1, controller2, controller3]
    VI_API: [controller2, controller1, controller3]
  # Owner root and mode 0755 unless said otherwise: keepalived refuses scripts that others could
  # write. On a machine with SELinux they get the type that keepalived may run; keep them in
  # /usr/libexec/keepalived there, where the policy expects them.
  scripts:
    /usr/libexec/keepalived/check-http.sh:
      contents: |
        #!/bin/sh
        exec curl --silent --fail --output /dev/null http://127.0.0.1/
