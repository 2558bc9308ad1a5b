"""keepalived.conf(5): the words outside of blocks, and GLOBAL CONFIGURATION."""

from __future__ import annotations

from .grammar_rows import rows

GLOBAL_DEFS = rows(
    "global_parser.c",
    """
# Processes and mail
process_names             flag                         2.0.16  2602
process_name              text                         2.0.16  2603  = keepalived
vrrp_process_name         text                         2.0.16  2605
checker_process_name      text                         2.2.0   2608
lvs_process_name          text                         2.0.16  2609  use checker_process_name
bfd_process_name          text                         2.0.16  2612
use_symlink_paths         switch                       2.3.0   2614  = false
router_id                 text                         1.1.8   2615  = local host name
notification_email_from   text                         0.5.3   2616  = user@host name
smtp_server               words 1..2                   0.5.3   2617
smtp_helo_name            text                         1.2.20  2618  = local host name
smtp_connect_timeout      integer 1..4294              0.5.3   2619  = 30 s
notification_email        wordlist                     0.5.3   2620
smtp_alert                switch                       2.0.0   2621
startup_script            script                       2.1.0   2622
startup_script_timeout    integer 1..1000              2.1.0   2623  = 10 s
shutdown_script           script                       2.1.0   2624
shutdown_script_timeout   integer 1..1000              2.1.0   2625  = 10 s
max_auto_priority         integer -1..99               2.1.0   2626  bare; = 0, 99 when bare
min_auto_priority_delay   integer 1..10000000          2.1.0   2627  = 1000000 us
smtp_alert_vrrp           switch                       2.0.0   2629  = smtp_alert
smtp_alert_checker        switch                       2.0.0   2632  = smtp_alert
checker_log_all_failures  switch                       2.0.11  2633  = false
dynamic_interfaces        words 0..1 allow_if_changes  2.0.0   2636  = false
no_email_faults           flag                         2.0.0   2637
default_interface         text                         1.2.24  2638  = eth0
disable_local_igmp        flag                         2.2.0   2639
v3_checksum_as_v2         flag                         2.2.8   2640
# LVS
lvs_timeouts       words 2.. tcp|tcpfin|udp  1.2.24  2643  = kernel
lvs_flush          flag                      1.2.23  2644
lvs_flush_on_stop  words 0..1 VS             2.2.0   2645
lvs_flush_onstop   words 0..1 VS             2.0.15  2646  use lvs_flush_on_stop
lvs_sync_daemon    words 1..                 1.2.20  2648  first
# VRRP
vrrp_mcast_group4                address            1.2.10  2652  = 224.0.0.18
vrrp_mcast_group6                address            1.2.10  2653  = ff02::12
vrrp_garp_master_delay           integer 0..4294    1.2.20  2654  = 5 s
vrrp_garp_master_repeat          integer 1..U32     1.2.20  2655  = 5
vrrp_garp_master_refresh         integer 0..U32     1.2.20  2656  = 0 (off)
vrrp_garp_master_refresh_repeat  integer 1..U32     1.2.20  2657  = 1
vrrp_garp_lower_prio_delay       integer 0..4294    1.2.20  2658  = vrrp_garp_master_delay
vrrp_garp_lower_prio_repeat      integer 0..I32MAX  1.2.20  2659  = vrrp_garp_master_repeat
vrrp_down_timer_adverts          integer 1..100     2.2.3   2660  = 3
vrrp_garp_interval               decimal US..SECS   1.2.21  2661  = 0
vrrp_gna_interval                decimal US..SECS   1.2.21  2662  = 0
vrrp_min_garp                    switch             2.0.12  2663  = off
vrrp_garp_extra_if               words 1..2         2.2.3   2665  = 0 (off)
vrrp_vmac_garp_intvl             words 1..2         2.2.0   2666  use vrrp_garp_extra_if
vrrp_lower_prio_no_advert        switch             1.2.20  2668  = false
vrrp_higher_prio_send_advert     switch             1.3.5   2669  = false
vrrp_version                     integer 2..3       1.2.20  2670  = 2 (IPv6 instances: 3)
# Firewall
vrrp_iptables      words 0..2   1.2.20  2675  = INPUT OUTPUT when bare
vrrp_ipsets        text 1..     1.2.20  2677  = keepalived*
nftables           text 0..1    2.0.11  2681  first; = keepalived when bare
nftables_priority  integer I32  2.0.11  2682  = -1
nftables_ifindex   flag         2.0.11  2683
# VRRP behaviour and scheduling
vrrp_check_unicast_src    flag             1.2.20  2685
vrrp_skip_check_adv_addr  switch           1.2.20  2686  value since 2.3.0; = false
vrrp_strict               switch           1.2.20  2687  value since 2.3.0; = false
vrrp_priority             integer -20..19  1.2.20  2688  = 0
vrrp_no_swap              flag             1.2.20  2689
vrrp_rt_priority          integer 1..99    2.0.0   2690
vrrp_cpu_affinity         words 1..        2.0.17  2691
vrrp_rlimit_rttime        integer 1..U32   2.1.0   2692  = 10000 us
vrrp_rlimit_rtime         integer 1..U32   2.0.0   2693  use vrrp_rlimit_rttime
# LVS with nftables
nftables_ipvs               text 0..1       2.2.2   2697  first; = keepalived_ipvs when bare
nftables_ipvs_priority      integer I32     2.2.2   2698  = -1
nftables_ipvs_start_fwmark  integer 1..U32  2.2.2   2699  = 1000
nftables_counters           flag            2.0.11  2702
# Notification FIFOs
notify_fifo                       words 1..3  1.3.6   2705  first
notify_fifo_script                script      1.3.6   2706
vrrp_notify_fifo                  words 1..3  1.3.6   2708  first
vrrp_notify_fifo_script           script      1.3.6   2709
vrrp_notify_priority_changes      switch      2.0.16  2710  = false
fifo_write_vrrp_states_on_reload  flag        2.2.5   2711
lvs_notify_fifo                   words 1..3  1.3.6   2714  first
lvs_notify_fifo_script            script      1.3.6   2715
# Checker and BFD scheduling
checker_priority       integer -20..19  1.2.20  2716  = 0
checker_no_swap        flag             1.2.20  2717
checker_rt_priority    integer 1..99    2.0.0   2718
checker_cpu_affinity   words 1..        2.0.17  2719
checker_rlimit_rttime  integer 1..U32   2.1.0   2720  = 10000 us
checker_rlimit_rtime   integer 1..U32   2.0.0   2721  use checker_rlimit_rttime
bfd_priority           integer -20..19  2.0.0   2724  = 0
bfd_no_swap            flag             2.0.0   2725
bfd_rt_priority        integer 1..99    2.0.0   2726
bfd_cpu_affinity       words 1..        2.0.17  2727
bfd_rlimit_rttime      integer 1..U32   2.1.0   2728  = 10000 us
bfd_rlimit_rtime       integer 1..U32   2.0.0   2729  use bfd_rlimit_rttime
# SNMP and D-Bus
snmp_socket                    text               1.2.20  2732  first; = unix:/var/agentx/master
enable_traps                   flag               1.2.5   2733
enable_snmp_vrrp               flag               2.0.0   2735
enable_snmp_keepalived         flag               1.2.20  2736  use enable_snmp_vrrp
enable_snmp_rfc                flag               1.2.20  2739
enable_snmp_rfcv2              flag               1.2.20  2742
enable_snmp_rfcv3              flag               1.2.20  2745
enable_snmp_checker            flag               1.2.20  2748
snmp_vs_stats_update_interval  decimal 0.001..30  2.3.0   2749  = 5 s
snmp_rs_stats_update_interval  decimal 0.001..30  2.3.0   2750  = 0 (with the VS)
enable_dbus                    flag               1.3.0   2754
dbus_service_name              text               1.3.7   2755  = org.keepalived.Vrrp1
dbus_no_interface_name         text               2.3.0   2756
# Script security
script_user             words 1..2  1.3.0  2758  = keepalived_script or root
enable_script_security  flag        1.3.0  2759
# Buffers and start
vrrp_netlink_cmd_rcv_bufs            integer 0..U32       2.0.0   2761
vrrp_netlink_cmd_rcv_bufs_force      switch               2.0.0   2762
vrrp_netlink_monitor_rcv_bufs        integer 0..U32       2.0.0   2763
vrrp_netlink_monitor_rcv_bufs_force  switch               2.0.0   2764
process_monitor_rcv_bufs             integer 0..U32       2.0.11  2766
process_monitor_rcv_bufs_force       switch               2.0.11  2767
lvs_netlink_cmd_rcv_bufs             integer 0..U32       2.0.0   2771
lvs_netlink_cmd_rcv_bufs_force       switch               2.0.0   2772
lvs_netlink_monitor_rcv_bufs         integer 0..U32       2.0.0   2773
lvs_netlink_monitor_rcv_bufs_force   switch               2.0.0   2774
rs_init_notifies                     switch               2.0.0   2775  = false
no_checker_emails                    switch               2.0.0   2776  = false
vrrp_rx_bufs_policy                  words 1..            2.0.3   2779  = system
vrrp_rx_bufs_multiplier              integer 1..U32       2.0.3   2780  = 3
vrrp_startup_delay                   decimal 0.001..SECS  2.0.14  2781  = 0
vrrp_delay_after_boot                decimal 0.001..SECS  2.4.0   2782  = 0
log_unknown_vrids                    flag                 2.0.16  2783
vrrp_owner_ignore_adverts            switch               2.3.3   2784  = false
vmac_prefix                          text                 2.2.0   2786  first; = vrrp
vmac_addr_prefix                     text                 2.2.0   2787  first; = vmac_prefix
# Files and reload
umask                 words 1..       2.0.9   2790  = 0177
random_seed           integer 0..U32  2.0.15  2791  = time()
reload_check_config   text 0..1       2.2.0   2793  = /dev/null when bare
reload_time_file      text            2.1.0   2794
reload_repeat         flag            2.1.0   2795
reload_file           text 0..1       2.2.0   2796  = RUNDIR/keepalived.reload when bare
include_check         words 0..       2.2.0   2797
config_save_dir       text            2.2.3   2798
tmp_config_directory  text            2.2.0   2800  first; = memfd
data_use_instance     switch          2.2.3   2801  = false
json_version          integer 1..2    2.2.8   2803  = 1
iproute_usr_dir       text            2.3.2   2806  = build time
iproute_etc_dir       text            2.3.2   2807  = build time
state_dump_file       text            2.3.3   2809  = /tmp/keepalived.data
stats_dump_file       text            2.3.3   2810  = read but not used up to 2.4.3
json_dump_file        text            2.3.3   2811  = read but not used up to 2.4.3
    """,
)

ROOT = rows(
    "global_parser.c",
    """
linkbeat_use_polling   flag            1.1.18  2593
net_namespace          text            1.2.24  2595  first
net_namespace_ipvs     text            2.1.0   2596  first; bare; = the default namespace when bare
namespace_with_ipsets  flag            1.3.0   2597
use_pid_dir            flag            1.2.24  2598
instance               text            1.2.24  2599  first
child_wait_time        integer 0..U32  2.0.0   2600  = 5 s
global_defs            block           0.5.3   2601
    """,
    global_defs=GLOBAL_DEFS,
)
