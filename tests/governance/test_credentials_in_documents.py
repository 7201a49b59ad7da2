from __future__ import annotations

import pytest

from governance.door import Invalid
from tests.governance.office import Office

HEX = "9f86d081884c7d659a2feaa0c55ad015"  # made for this test
LOOKS_LIKE_A_KEY = {
    "sendgrid": "SG." + "aB3" * 7 + "x." + "Zq9_" * 10 + "abc",
    "twilio key": "SK" + HEX,
    "twilio pair": f"AC{HEX}:{HEX[::-1]}",
    "aws": "AKIA" + "ABCDEFGHIJ234567",
    "pem": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE",
    "github": "ghp_" + "a1B2" * 9,
    "our own": "omni_" + "abcdefgh23_" + "x7Yq-" * 8,
    "url": "postgresql://omni:" + "hunter22@db.example.com/omni",
    "said": "The password is Xk29fhQz81mNv0pLr7",
    "assigned": "api_key=Xk29fhQz81mNv0pLr7Tq",
    "json": '{"client_secret": "Xk29fhQz81mNv0pLr7Tq"}',
    "hex after a word": f"auth token: {HEX}",
}
HARMLESS = [
    "Your key to a better holiday: book the suite today and save 20 percent",
    "Enter the token {{ data.reset_token }} within ten minutes",
    "https://example.com/reset?token={{ data.reset_token }}",
    "The secret is extraordinarily-simple-and-friendly-words",
    "password: correct-horse-battery-staple",
    "order 12345678901234567890 for ref AC1234",
    f"photo {HEX}.jpg",
    "https://cdn.example.com/a1B2c3D4e5F6g7H8i9J0k1L2/photo.jpg",
    "SG. and SK are initials, AKIA is not a word",
    "Key dates: 2026-11-23 and 2027-01-05",
    "mailto:ada@example.com?subject=Hi",
    "ftp://example.com:2121/files",
]


@pytest.mark.parametrize("name", LOOKS_LIKE_A_KEY)
def test_what_looks_like_a_key_is_refused_without_being_repeated(office: Office, name: str) -> None:
    value = LOOKS_LIKE_A_KEY[name]
    with pytest.raises(Invalid) as caught:
        office.save(office.ada, "page", "welcome", blocks=[{"text": "fine"}, {"text": f"Hi, {value}"}])
    (finding,) = caught.value.findings
    assert finding.path == "/blocks/1/text"
    assert "set_secret" in finding.expected and value not in str(finding)


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_words_are_no_keys(office: Office, text: str) -> None:
    assert office.save(office.ada, "page", "welcome", text=text).number == 1


@pytest.mark.parametrize("field", ["api_key", "token", "client_secret", "password", "authToken"])
def test_a_random_value_in_a_field_for_keys_is_refused(office: Office, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        office.save(office.ada, "page", "welcome", blocks=[{field: "Xk29fhQz81mNv0pLr7"}])
    assert caught.value.findings[0].path == f"/blocks/0/{field}"


def test_the_name_of_a_secret_is_welcome(office: Office) -> None:
    assert (
        office.save(
            office.ada, "page", "welcome", blocks=[{"secret": "SENDGRID_MAIN_ACCOUNT_2026", "key": "spring-sale-2026-banner"}]
        ).number
        == 1
    )


@pytest.mark.parametrize("value", ["TWILIO_AUTH_TOKEN_2", "spring-sale-2026-banner", "sendgrid.main.account1", "{{ data.reset_token_2 }}"])
def test_names_in_a_field_for_keys_are_welcome(office: Office, value: str) -> None:
    assert office.save(office.ada, "page", "welcome", blocks=[{"auth_token": value}]).number == 1


def test_a_twilio_token_beside_its_account_is_refused(office: Office) -> None:
    office.save(office.ada, "page", "account", blocks=[{"account": f"AC{HEX}"}])
    with pytest.raises(Invalid) as caught:
        office.save(office.ada, "page", "welcome", blocks=[{"account": f"AC{HEX}", "value": HEX[::-1]}])
    assert caught.value.findings[0].path == "/blocks/0/value"
