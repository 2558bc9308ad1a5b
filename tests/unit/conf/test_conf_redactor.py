"""No secret leaves, however the file is written, broken or shown."""

import pytest

from keepalived_core import conf

SECRET = "s3cr3t"
# Each holds the secret, or pieces of it, in a place keepalived or a person would put it.
PLACES = [
    "auth_pass s3cr3t",
    "    auth_pass   s3cr3t   # the s3cr3t",
    'auth_pass "s3cr3t with blanks"',
    'auth_pass "s3cr3t',
    "auth_pass s3cr3t#s3cr3t",
    "auth_pass s3{cr3t}s3cr3t",
    "authentication { auth_type PASS\nauth_pass s3cr3t }",
    "authentication { auth_pass s3cr3t } virtual_ipaddress { 10.0.0.1 }",
    '"auth_pass" s3cr3t',
    '"auth_pass" "s3cr3t"',
    'auth_pass"s3cr3t"',
    "# auth_pass s3cr3t",
    "! old: auth_pass s3cr3t",
    "-    auth_pass s3cr3t\n+    auth_pass s3cr3t2",
    "auth_pass\ns3cr3t",
    "auth_pass\n\n    s3cr3t\n",
    "AUTH_PASS s3cr3t",
    "auth_pass: s3cr3t",
    "auth_pass = s3cr3t",
    "@low auth_pass s3cr3t",
    "$PASS=s3cr3t\nauth_pass ${PASS}",
    "$PASS = s3cr3t\nauthentication {\nauth_pass $PASS\n}",
    "$INNER=s3cr3t\n$PASS=x${INNER}\nauth_pass $PASS",
    "@low $PASS=s3cr3t\nauth_pass $PASS",
    "$PASS=auth_pass s3cr3t",
    "$BLOCK=authentication { \\\n  auth_pass s3cr3t \\\n}\n$BLOCK",
    "$PASS=\\\ns3cr3t \\\n\nauth_pass $PASS",
    "~LST({A, PASS}, {1, s3cr3t}) auth_pass $PASS",
    "SSL {\n  password s3cr3t\n}",
    'password "s3cr3t"',
    "auth_hmac {\n  key 1 s3cr3t\n}",
    'key 1 "s3cr3t x"',
    "key 1 hex:s3cr3t",
    "$K=s3cr3t\nkey 1 $K",
    '"auth_type":1,"auth_data":"s3cr3t"}',
    "authentication {\n auth_type s3cr3t\n auth_pass PASS\n}",
    "line 7: (VI) unknown authentication type 's3cr3t'",
    "(/etc/keepalived/keepalived.conf: Line 9) Truncating auth_pass s3cr3t to 8 characters",
]


@pytest.mark.parametrize("text", PLACES)
def test_the_secret_is_gone(text):
    shown = conf.redact(text)
    assert SECRET not in shown and "cr3t" not in shown
    assert conf.redact(shown) == shown


@pytest.mark.parametrize("text", PLACES)
def test_lines_stay_in_place(text):
    assert conf.redact(text).count("\n") == text.count("\n")


HARMLESS = [
    "vrrp_instance A {\n    priority 100\n    auth_type PASS\n}\n",
    "SSL {\n    key /etc/ssl/private/x.key\n    ca /etc/ssl/ca.pem\n}\n",
    "auth_hmac {\n    key 1 file:/etc/keepalived/hmac.key\n    active_key 1\n}\n",
    "# the keyword and the password_file are described elsewhere\n",
    "",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    assert conf.redact(text) == text


def test_the_brace_behind_a_secret_stays():
    assert (
        conf.redact("authentication { auth_pass x }") == "authentication { auth_pass <redacted> }"
    )


def test_pillar_data_loses_its_secrets_and_nothing_else():
    data = {
        "config": {
            "vrrp_instance": {
                "VI": {
                    "authentication": {"auth_type": "PASS", "auth_pass": SECRET},
                    "auth_hmac": {"key": [f"1 {SECRET}"], "active_key": 1},
                    "track_script": ["a"],
                }
            },
            "SSL": [{"password": SECRET}, {"key": "/x.key"}],
        },
        "scripts": {"/x.sh": {"contents": f"auth_pass {SECRET}"}},
        "octal": {"auth_pass": 83},
    }
    shown = conf.redact_data(data)
    assert SECRET not in repr(shown) and "83" not in repr(shown)
    instance = shown["config"]["vrrp_instance"]["VI"]
    assert instance["authentication"]["auth_type"] == "PASS"
    assert instance["auth_hmac"]["active_key"] == 1
    assert shown["config"]["SSL"][1] == {"key": "/x.key"}
    assert SECRET in repr(data), "the caller's data is not touched"
