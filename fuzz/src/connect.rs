//! Who wants to come in: client id, user name and password, each on a line of its own.

use alink::connect::{AuthType, ClientId, Connect, Transport, device_of};

/// A CONNECT is understood or refused, and an understood one means what it says.
pub fn connect(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let client_id = lines.next().unwrap_or_default();
    let username = lines.next();
    let password = lines.next().map(str::as_bytes);
    let id = ClientId::parse(client_id);
    let Ok(connect) = Connect::parse(client_id, username, password) else {
        return;
    };
    let id = id.expect("a CONNECT has a client id");
    assert_eq!(*connect.cid, *id.cid());
    assert!(client_id.starts_with(&format!("{}|", id.cid())) && client_id.ends_with('|'));
    assert_eq!(device_of(username).as_ref(), Ok(&connect.device));
    let written = format!(
        "{}&{}",
        connect.device.device_name, connect.device.product_key
    );
    assert_eq!(username, Some(&*written));
    let content = connect.signed_content();
    assert_eq!(content.is_none(), connect.auth_type == AuthType::Token);
    match content {
        Some(content) => {
            let signature = connect.sign_method.sign("secret", &content);
            let signed = Connect::parse(client_id, username, Some(signature.as_bytes()));
            assert!(signed.is_ok_and(|signed| signed.verify("secret")));
        }
        None => assert!(connect.verify(&String::from_utf8_lossy(connect.password.as_bytes()))),
    }
    let fits = |transport| connect.secure_mode.fits(transport, false);
    assert_ne!(fits(Transport::Plain), fits(Transport::Tls));
    let shown = format!("{connect:?}");
    assert!(
        shown.contains("Password(…)"),
        "a password must not reach a log"
    );
}
