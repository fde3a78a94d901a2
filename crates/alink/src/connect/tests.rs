use proptest::prelude::*;

use super::*;

const SECRET: &str = "f3a9c2d7e1b84056a9d0c1e2f3b4a596";
const USERNAME: Option<&str> = Some("boiler_01&a1B2c3D4e5F");

fn parse(client_id: &str) -> Result<Connect, ConnectRefusal> {
    Connect::parse(client_id, USERNAME, Some(b"00"))
}

#[test]
fn the_python_sdk_is_understood() {
    let connect = Connect::parse(
        "a1B2c3D4e5F&boiler_01|securemode=3,signmethod=hmacsha1,ext=1,_ss=1,lan=Python,_v=1.2.13,timestamp=1700000000|",
        USERNAME,
        Some(b"e84d8b5cde82d7aea0d7a4523806ac53bcf14181"),
    )
    .unwrap();
    assert_eq!(connect.device.to_string(), "a1B2c3D4e5F/boiler_01");
    assert_eq!(&*connect.cid, "a1B2c3D4e5F&boiler_01");
    assert_eq!(connect.secure_mode, SecureMode::Plain);
    assert_eq!(connect.sign_method, SignMethod::HmacSha1);
    assert_eq!(connect.auth_type, AuthType::Secret);
    assert!(connect.auto_subscribe && connect.understands_ext_rrpc());
    assert_eq!(connect.sdk_language.as_deref(), Some("Python"));
    assert_eq!(connect.sdk_version.as_deref(), Some("1.2.13"));
    assert!(connect.verify(SECRET) && !connect.verify("another"));
    assert!(
        !format!("{connect:?}").contains("e84d8b5c"),
        "a password must not reach a log"
    );
}

#[test]
fn the_node_and_c_sdks_are_understood() {
    let node =
        parse("p&d|securemode=3,signmethod=hmacsha1,timestamp=1700000000000,lan=NodeJS,_v=1.2.8|")
            .unwrap();
    assert!(!node.auto_subscribe && !node.understands_ext_rrpc());
    let c = parse(
        "p.d|timestamp=2524608000000,_v=sdk-c-3.0.1,securemode=2,signmethod=hmacsha256,lan=C,gw=0,ext=0|",
    )
    .unwrap();
    assert_eq!(
        (c.secure_mode, c.sign_method, c.ext),
        (SecureMode::Tls, SignMethod::HmacSha256, 0)
    );
    let c4 = parse(
        "p.d|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=2,signmethod=hmacsha256,ext=3,|",
    );
    assert!(c4.unwrap().understands_ext_rrpc());
}

#[test]
fn without_a_timestamp_its_pair_is_not_signed() {
    let connect = Connect::parse(
        "a1B2c3D4e5F&boiler_01|securemode=3,signmethod=HmacSHA256|",
        USERNAME,
        Some(b"E2F8776022DA09096D5F51E2980FA7E1EA6F8197E5587E40CBBD8BA8191A7098"),
    );
    assert!(connect.unwrap().verify(SECRET));
}

#[test]
fn the_default_method_is_hmacmd5() {
    let connect = Connect::parse(
        "a1B2c3D4e5F&boiler_01|timestamp=1700000000000,securemode=2|",
        USERNAME,
        Some(b"332fc10bfdbfe9b187f352302262e752"),
    );
    assert!(connect.unwrap().verify(SECRET));
}

#[test]
fn registration_is_signed_with_the_product_secret() {
    for (auth, mode, auth_type) in [
        ("register", "2", AuthType::Register),
        ("regnwl", "-2", AuthType::RegisterNew),
        ("regnwl", "2", AuthType::RegisterNew),
    ] {
        let connect = Connect::parse(
            &format!("any|securemode={mode},authType={auth},random=r4nd0mString15,signmethod=hmacsha256,instanceId=i|"),
            USERNAME,
            Some(b"6d1893e872d2be2ccb947064c7f29fec970794499f19f9dba369dd2bb96d445d"),
        )
        .unwrap();
        assert_eq!(connect.auth_type, auth_type);
        assert!(connect.auth_type.is_registration());
        assert_eq!(connect.instance_id.as_deref(), Some("i"));
        assert!(connect.verify("Kq7mZ2xW9tR4bN6v"));
    }
    assert_eq!(
        parse("any|securemode=2,authType=register|"),
        Err(ConnectRefusal::ClientId)
    );
}

#[test]
fn a_token_is_compared_as_it_stands() {
    for client_id in [
        "x|securemode=-2|",
        "x|securemode=-2,authType=connwl,_ss=1,ext=3|",
    ] {
        let connect = Connect::parse(client_id, USERNAME, Some(b"^1^token")).unwrap();
        assert_eq!(connect.auth_type, AuthType::Token);
        assert_eq!(connect.signed_content(), None);
        assert!(connect.verify("^1^token") && !connect.verify("^1^toke") && !connect.verify(""));
    }
}

#[test]
fn every_ill_formed_connect_has_its_cause() {
    use ConnectRefusal as Why;
    let long = format!("{}|securemode=3|", "x".repeat(65));
    let huge = format!("x|securemode=3,lan={}|", "x".repeat(2048));
    for (client_id, username, password, why) in [
        ("plain", USERNAME, Some(&b"00"[..]), Why::ClientId),
        ("", USERNAME, Some(b"00"), Why::ClientId),
        ("|", USERNAME, Some(b"00"), Why::ClientId),
        ("x|securemode=3", USERNAME, Some(b"00"), Why::ClientId),
        ("x|securemode=3|y|", USERNAME, Some(b"00"), Why::ClientId),
        ("x|securemode|", USERNAME, Some(b"00"), Why::ClientId),
        (
            "x|securemode=3,timestamp=now|",
            USERNAME,
            Some(b"00"),
            Why::ClientId,
        ),
        (
            "x|securemode=3,authType=magic|",
            USERNAME,
            Some(b"00"),
            Why::ClientId,
        ),
        (&long, USERNAME, Some(b"00"), Why::ClientId),
        (&huge, USERNAME, Some(b"00"), Why::ClientId),
        ("x|securemode=3|", None, Some(b"00"), Why::Username),
        ("x|securemode=3|", Some(""), Some(b"00"), Why::Username),
        (
            "x|securemode=3|",
            Some("boiler_01"),
            Some(b"00"),
            Why::Username,
        ),
        (
            "x|securemode=3|",
            Some("boiler_01&pk&"),
            Some(b"00"),
            Why::Username,
        ),
        ("x|securemode=3|", Some("a&pk"), Some(b"00"), Why::Username),
        ("x|securemode=3|", USERNAME, None, Why::Password),
        ("x|securemode=3|", USERNAME, Some(b""), Why::Password),
        ("x||", USERNAME, Some(b"00"), Why::SecureMode),
        ("x|securemode=-1|", USERNAME, Some(b"00"), Why::SecureMode),
        ("x|securemode=8|", USERNAME, Some(b"00"), Why::SecureMode),
        (
            "x|securemode=3,signmethod=sha256|",
            USERNAME,
            Some(b"00"),
            Why::SignMethod,
        ),
    ] {
        assert_eq!(
            Connect::parse(client_id, username, password),
            Err(why),
            "{client_id} {username:?}"
        );
    }
    assert!(
        parse(&format!("{}|securemode=3|", "é".repeat(64))).is_ok(),
        "64 characters, not bytes"
    );
}

#[test]
fn secure_modes_fit_their_listener() {
    use SecureMode::*;
    for (mode, plain, lenient, tls) in [
        (Tls, false, true, true),
        (TlsToken, false, true, true),
        (Plain, true, true, false),
    ] {
        assert_eq!(mode.fits(Transport::Plain, false), plain);
        assert_eq!(mode.fits(Transport::Plain, true), lenient);
        assert_eq!(mode.fits(Transport::Tls, true), tls);
    }
}

#[test]
fn keep_alive_has_a_floor_and_a_ceiling() {
    for (asked, taken) in [
        (0, None),
        (29, None),
        (30, Some(30)),
        (1200, Some(1200)),
        (65535, Some(1200)),
    ] {
        assert_eq!(keep_alive(asked).ok(), taken, "{asked}");
    }
}

#[test]
fn refusals_have_the_numbers_of_the_protocol_page() {
    for why in ConnectRefusal::ALL {
        let expected = match why {
            ConnectRefusal::ProtocolLevel => (1, 0x84),
            ConnectRefusal::ClientId => (3, 0x85),
            ConnectRefusal::KeepAlive => (3, 0x83),
            ConnectRefusal::TooManyAttempts => (3, 0x97),
            ConnectRefusal::NotReady => (3, 0x88),
            ConnectRefusal::Username | ConnectRefusal::Password => (4, 0x86),
            _ => (5, 0x87),
        };
        assert_eq!((why.connack_v3(), why.connack_v5()), expected, "{why}");
        assert!(!why.reason().is_empty());
    }
}

proptest! {
    #[test]
    fn no_connect_makes_it_panic(id in ".{0,80}", name: Option<String>, password: Option<Vec<u8>>) {
        let _ = Connect::parse(&id, name.as_deref(), password.as_deref());
        let _ = Connect::parse(&format!("{id}|securemode=3,{id}|"), USERNAME, password.as_deref())
            .map(|connect| connect.verify(&id));
    }
}
