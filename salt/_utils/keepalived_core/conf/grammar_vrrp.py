"""keepalived.conf(5): VRRPD CONFIGURATION, with BFD and the static addresses and routes."""

from __future__ import annotations

from .grammar_rows import rows

AUTHENTICATION = rows(
    "vrrp_parser.c",
    """
auth_type  AH|PASS  0.5.3  2421
auth_pass  text     0.5.3  2422  secret
    """,
)

AUTH_HMAC = rows(
    "vrrp_parser.c",
    """
key          words 2..2                       0.5.3  2426  many; secret
active_key   integer 1..255                   2.4.0  2427
time_window  integer 1..300                   2.4.0  2428
anti_replay  time|monotonic                   2.4.0  2429  = time
mode         enforce|permissive|receive-only  2.4.0  2430  = enforce
    """,
)

INSTANCE = rows(
    "vrrp_parser.c",
    """
use_vmac                    words 0..                1.2.3   2331  first
use_vmac_addr               flag                     2.2.0   2332
vmac_xmit_base              flag                     1.2.10  2333
use_ipvlan                  words 0..                2.0.17  2336  first
unicast_peer                entries peer             1.2.8   2338
unicast_fault_no_peer       flag                     2.2.5   2339
check_unicast_src           flag                     2.1.0   2340
old_unicast_checksum        words 0..1 never         1.3.7   2342  = auto
native_ipv6                 flag                     1.2.1   2344
state                       MASTER|BACKUP            0.5.3   2345  = BACKUP
interface                   text                     0.5.3   2346
vrf                         text                     2.2.5   2348  first
dont_track_primary          flag                     1.1.8   2350
track_interface             entries track_interface  1.0.1   2351
track_script                entries track            1.1.13  2352
track_file                  entries track            2.0.0   2353
track_process               entries track            2.0.11  2355
track_bfd                   entries track            2.0.0   2358
mcast_src_ip                address                  0.6.1   2360  = primary IP of interface
unicast_src_ip              address                  1.2.10  2361  = primary IP of interface
mcast_dst_ip                address                  2.2.5   2362  = global
track_src_ip                flag                     2.0.0   2363
virtual_router_id           integer 1..255           0.5.3   2364
unicast_ttl                 integer 0..255           2.1.0   2365  = 255 (IPv4)
version                     integer 2..3             1.2.17  2366  = global (IPv6: 3)
priority                    integer 1..255           0.5.3   2367  = 100
advert_int                  decimal 0.01..255        0.5.3   2368  = 1 s
virtual_ipaddress           entries address          0.5.3   2369
virtual_ipaddress_excluded  entries address          0.5.9   2370
no_virtual_ipaddress        flag                     2.2.8   2371
promote_secondaries         flag                     1.3.0   2372
linkbeat_use_polling        flag                     2.0.0   2374  use linkbeat_interfaces
v3_checksum_as_v2           switch                   2.2.8   2376  = global (false)
virtual_routes              entries route            1.0.1   2377
virtual_rules               entries rule             1.2.20  2378
accept                      flag                     1.2.17  2379
no_accept                   flag                     1.3.0   2381
skip_check_adv_addr         switch                   1.2.20  2383  = global
strict_mode                 switch                   1.2.20  2384  = global
preempt                     flag                     0.5.3   2385
nopreempt                   flag                     1.1.8   2386
preempt_delay               decimal 0..1000          1.1.8   2387  = 0 s
debug                       integer 0..4             0.5.3   2388  = 0
notify_backup               script                   0.5.9   2389
notify_master               script                   0.5.9   2390
notify_fault                script                   0.5.9   2391
notify_stop                 script                   1.1.13  2392
notify_deleted              script                   2.1.0   2393  bare
notify                      script                   0.5.3   2394
notify_master_rx_lower_pri  script                   2.0.6   2395
smtp_alert                  switch                   0.5.7   2396  value since 2.0.0; = global
notify_priority_changes     switch                   2.0.16  2397  = global
lvs_sync_daemon_interface   text                     0.5.5   2399  first; use lvs_sync_daemon
garp_master_delay           integer 0..4294          0.7.1   2401  = global (5 s)
garp_master_refresh         integer 0..U32           1.2.10  2402  = global (0)
garp_master_repeat          integer 1..U32           1.2.14  2403  = global (5)
garp_master_refresh_repeat  integer 1..U32           1.2.14  2404  = global (1)
garp_lower_prio_delay       integer 0..4294          1.2.20  2405  = global
garp_lower_prio_repeat      integer 0..I32MAX        1.2.20  2406  = global
down_timer_adverts          integer 1..100           2.2.3   2407  = global (3)
timer_expired_backup        integer 1..254           2.2.8   2408  = 254 when bare; bare
thread_timer_expired        integer 1..254           2.3.2   2409  use timer_expired_backup; bare
garp_extra_if               words 1..2               2.2.3   2411  = global
vmac_garp_intvl             words 1..2               2.2.0   2412  use garp_extra_if
lower_prio_no_advert        switch                   1.2.20  2414  = global (false)
higher_prio_send_advert     switch                   1.3.5   2415  = global (false)
owner_ignore_adverts        switch                   2.3.3   2416  = global (false)
kernel_rx_buf_size          integer 0..U32           2.0.3   2417  = system
authentication              block                    0.5.3   2419
auth_hmac                   block                    2.4.0   2424
    """,
    authentication=AUTHENTICATION,
    auth_hmac=AUTH_HMAC,
)

SYNC_GROUP = rows(
    "vrrp_parser.c",
    """
group                       wordlist                 0.6.4   2293  first
track_interface             entries track_interface  2.0.0   2294
track_script                entries track            2.0.0   2295
track_file                  entries track            2.0.0   2296
track_process               entries track            2.0.11  2298
track_bfd                   entries track            2.0.0   2301
notify_backup               script                   0.5.9   2303
notify_master               script                   0.5.9   2304
notify_fault                script                   0.5.9   2305
notify_stop                 script                   2.0.0   2306
notify                      script                   0.5.3   2307
smtp_alert                  switch                   0.5.7   2308  value since 2.0.0; = global
global_tracking             flag                     1.2.3   2309  use tracks in the sync group
sync_group_tracking_weight  flag                     2.0.0   2310
notify_priority_changes     switch                   2.2.0   2311  = global
    """,
)

SCRIPT = rows(
    "vrrp_parser.c",
    """
script     script                     1.1.13  2435  last
interval   decimal3 0.001..4294       1.1.13  2436  = 1 s
timeout    decimal3 0.001..4294       1.2.6   2437  = 0 = interval
weight     integer -253..253 reverse  0.5.3   2438  = 0 (failure -> FAULT)
rise       integer 1..I32MAX          1.1.18  2439  = 1
fall       integer 1..I32MAX          1.1.18  2440  = 1
user       words 1..2                 1.3.0   2441
init_fail  flag                       1.3.2   2442
    """,
)

TRACK_PROCESS = rows(
    "vrrp_parser.c",
    """
process          words 1..                  2.0.11  2448  first
param_match      initial|partial            2.0.16  2449  = exact if parameters given; bare
weight           integer -254..254 reverse  0.5.3   2450  first; = 0 (failure -> FAULT)
quorum           integer 1..65535           1.1.16  2451  = 1
quorum_max       integer 0..65535           2.0.16  2452  = unlimited
delay            decimal US..3600           2.0.11  2453  = 0
terminate_delay  decimal US..3600           2.0.16  2454  = 0
fork_delay       decimal US..3600           2.0.16  2455  = 0
full_command     flag                       2.0.11  2456
    """,
)

TRACK_FILE = rows(
    "track_file.c",
    """
file       text                       2.0.0  539   first
weight     integer -254..254 reverse  0.5.3  540   first; = 1
init_file  words 0..2                 2.0.0  541   = no file, 0 when bare
    """,
)

TRACK_GROUP = rows(
    "vrrp_parser.c",
    """
group  wordlist  0.6.4  2283  first
    """,
)

GARP_GROUP = rows(
    "vrrp_parser.c",
    """
garp_interval  decimal 0..SECS  1.2.21  2316  = 0
gna_interval   decimal 0..SECS  1.2.21  2317  = 0
interface      text             0.5.3   2318  first
interfaces     wordlist         1.2.21  2319  first
    """,
)

BFD = rows(
    "bfd_parser.c",
    """
source_ip     address                     2.0.0  529
neighbor_ip   address                     2.0.0  530
neighbour_ip  address                     2.0.0  531
min_rx        decimal3 1..4294967         2.0.0  532   = 10 ms
min_tx        decimal3 1..4294967         2.0.0  533   = 10 ms
idle_tx       decimal3 1000..4294967      2.0.0  534   = 1000 ms
multiplier    integer 1..255              2.0.0  535   = 5
passive       flag                        2.0.0  536
ttl           integer 1..255              2.0.0  537   = 255 (IPv4)
hoplimit      integer 1..255              2.0.0  538   = 64 (IPv6)
max_hops      integer -1..255             2.0.0  539   = 0
multihop      switch                      2.2.8  540
weight        integer -253..253 reverse   0.5.3  542   = 0
vrrp          flag                        2.0.0  549
checker       flag                        2.0.0  552
    """,
)

ROOT = rows(
    "vrrp_parser.c",
    """
track_group               named             2.0.3   2282
static_ipaddress          entries address   1.1.0   2287
static_routes             entries route     1.0.1   2288
static_rules              entries rule      1.2.20  2289
vrrp_sync_group           named             0.6.1   2292
garp_group                block             1.2.21  2315
linkbeat_interfaces       entries linkbeat  2.0.13  2324
vrrp_instance             named             0.5.3   2328
vrrp_script               named             1.1.13  2434  many
vrrp_track_process        named             2.0.11  2447  many
interface_up_down_delays  entries delays    2.2.3   2461
bfd_instance              named             2.0.0   bfd_parser.c:510
track_file                named             2.1.0   track_file.c:538  many
vrrp_track_file           named             2.0.0   track_file.c:545  many; use track_file
    """,
    track_group=TRACK_GROUP,
    vrrp_sync_group=SYNC_GROUP,
    garp_group=GARP_GROUP,
    vrrp_instance=INSTANCE,
    vrrp_script=SCRIPT,
    vrrp_track_process=TRACK_PROCESS,
    bfd_instance=BFD,
    track_file=TRACK_FILE,
    vrrp_track_file=TRACK_FILE,
)
