use futures::future::join_all;
use proto::hoshu::registry::internal::v1::claim_session_response::Verdict;
use proto::hoshu::registry::internal::v1::locate_request::Question;
use proto::hoshu::registry::internal::v1::release::Reason;
use proto::hoshu::registry::internal::v1::{
    FindProductsRequest, LocateRequest, RefusedConnect, TellRefusalsRequest,
};
use proto::hoshu::registry::v1::{ResetDeviceSecretRequest, device, edition_kind};
use registry::Config;
use tonic::Code;

use crate::fixture::{Registry, claim_of, me, refused, signed};

#[tokio::test]
async fn a_device_with_its_secret_gets_a_session_and_is_online() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let answer = registry.claim(&device, "gateway-1").await;
    assert_eq!(
        (answer.verdict(), &answer.previous),
        (Verdict::Accepted, &None)
    );
    let session = answer.session.unwrap();
    assert_eq!(
        (session.account_id.as_str(), &session.iot_id),
        ("acme", &device.iot_id)
    );
    assert_eq!(session.edition(), edition_kind::Edition::Pro);

    let online = registry.look(&device).await;
    assert_eq!(online.status(), device::Status::Online);
    assert_eq!(online.client_address(), "192.0.2.1:4711");
    assert!(online.activated_at.is_some() && online.activated_at == online.last_online_at);
    let place = registry.place(&device).await.unwrap();
    assert_eq!(
        (place.node.as_str(), place.session),
        ("gateway-1", session.number)
    );
    assert!(place.activated && place.product.is_some());

    let lines = registry.lines(&device, 1).await;
    assert_eq!(
        (lines[0].content.as_str(), lines[0].failed),
        ("online", false)
    );
    assert_eq!(lines[0].detail["clientAddress"], "192.0.2.1:4711");
    assert_eq!(lines[0].detail["protocol"], "mqtt 3.1.1");
    assert_eq!(registry.presence(1).await, [(session.number, true)]);
    registry.stop().await;
}

#[tokio::test]
async fn a_device_that_leaves_is_offline_with_its_reason() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let reasons = [
        (Reason::DeviceDisconnect, "Device disconnect", false),
        (Reason::ConnectionReset, "Connection reset by peer", true),
        (Reason::KeepaliveTimeout, "Keepalive timeout", true),
        (
            Reason::ConnectionException,
            "Connection occurs exception",
            true,
        ),
    ];
    for (reason, _, _) in reasons {
        let session = registry.claim(&device, "gateway-1").await.session.unwrap();
        registry
            .release(session.device_id, session.number, reason)
            .await;
        let offline = registry.look(&device).await;
        assert_eq!(offline.status(), device::Status::Offline);
        assert!(offline.last_offline_at.is_some());
        assert_eq!(registry.place(&device).await.unwrap().node, "");
        // So that the lines' times differ.
        registry
            .house
            .clock()
            .advance(std::time::Duration::from_secs(1));
    }
    let lines = registry.lines(&device, 8).await;
    let ends: Vec<_> = lines
        .iter()
        .filter(|line| line.content == "offline")
        .collect();
    for (end, (_, text, failed)) in ends.iter().zip(reasons) {
        assert_eq!((end.reason.as_str(), end.failed), (text, failed));
    }
    assert_eq!(ends[3].detail["cause"], "payload is no MQTT");
    registry.stop().await;
}

#[tokio::test]
async fn a_second_connection_takes_over_and_the_first_is_kicked() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let first = registry.connect(&device, "gateway-1").await;
    let answer = registry.claim(&device, "gateway-2").await;
    let previous = answer.previous.unwrap();
    assert_eq!(
        (previous.node.as_str(), previous.number),
        ("gateway-1", first)
    );
    let second = answer.session.unwrap().number;
    assert!(second > first);
    assert_eq!(registry.place(&device).await.unwrap().node, "gateway-2");

    let lines = registry.lines(&device, 3).await;
    assert_eq!(
        (lines[1].content.as_str(), lines[1].failed),
        ("offline", true)
    );
    assert_eq!(lines[1].reason, "Kicked by the same device");
    assert_eq!(lines[2].content, "online");
    assert_eq!(
        registry.presence(3).await,
        [(first, true), (first, false), (second, true)]
    );
    registry.stop().await;
}

#[tokio::test]
async fn a_late_release_of_an_old_session_changes_nothing() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let old = registry.claim(&device, "gateway-1").await.session.unwrap();
    registry.connect(&device, "gateway-2").await;
    registry
        .release(old.device_id, old.number, Reason::Kicked)
        .await;
    registry
        .release(old.device_id, old.number, Reason::ConnectionReset)
        .await;
    assert_eq!(registry.status(&device).await, device::Status::Online);
    registry.lines(&device, 3).await;
    registry.stop().await;
}

#[tokio::test]
async fn a_wrong_signature_never_kicks() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let session = registry.connect(&device, "gateway-1").await;
    let forged = registry
        .services
        .clone()
        .claim_session(signed(&device, "gateway-2", "guess"))
        .await;
    let forged = forged.unwrap().into_inner();
    assert_eq!(
        (forged.verdict(), forged.session, forged.previous),
        (Verdict::WrongSignature, None, None)
    );
    let place = registry.place(&device).await.unwrap();
    assert_eq!((place.node.as_str(), place.session), ("gateway-1", session));

    let lines = registry.lines(&device, 2).await;
    let refused = lines
        .iter()
        .find(|line| line.content == "connect refused")
        .unwrap();
    assert_eq!(
        (refused.reason.as_str(), refused.failed),
        ("wrong signature", true)
    );
    registry.stop().await;
}

#[tokio::test]
async fn of_many_claims_at_once_the_latest_holds_the_device() {
    let registry = Registry::with(Config {
        attempts_per_minute: 1000,
        ..Config::default()
    })
    .await;
    let device = registry.device().await;
    let nodes: Vec<_> = (0..40).map(|node| format!("gateway-{node}")).collect();
    let answers = join_all(nodes.iter().map(|node| registry.claim(&device, node))).await;
    let mut held: Vec<_> = nodes.iter().zip(&answers).collect();
    held.sort_by_key(|(_, answer)| answer.session.as_ref().unwrap().number);
    for pair in held.windows(2) {
        let (node, answer) = pair[0];
        let previous = pair[1].1.previous.as_ref().unwrap();
        assert_eq!(&previous.node, node);
        assert_eq!(previous.number, answer.session.as_ref().unwrap().number);
    }
    let (node, last) = held.last().unwrap();
    let place = registry.place(&device).await.unwrap();
    assert_eq!(
        (&place.node, place.session),
        (*node, last.session.as_ref().unwrap().number)
    );
    registry.stop().await;
}

#[tokio::test]
async fn claims_of_many_devices_are_settled_together() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let mut devices = Vec::new();
    for n in 0..50 {
        devices.push(registry.device_of(&product, &format!("pump-{n}")).await);
    }
    let answers = join_all(
        devices
            .iter()
            .map(|device| registry.claim(device, "gateway-1")),
    )
    .await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.verdict() == Verdict::Accepted)
    );
    assert_eq!(registry.presence(50).await.len(), 50);
    registry.stop().await;
}

#[tokio::test]
async fn a_device_may_try_twenty_times_a_minute_and_few_of_the_refused_make_a_line() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    for _ in 0..20 {
        registry.connect(&device, "gateway-1").await;
    }
    for _ in 0..30 {
        assert_eq!(
            registry.claim(&device, "gateway-1").await.verdict(),
            Verdict::TooManyAttempts
        );
    }
    registry
        .house
        .clock()
        .advance(std::time::Duration::from_secs(3));
    assert_eq!(
        registry.claim(&device, "gateway-1").await.verdict(),
        Verdict::Accepted
    );
    let lines = registry.lines(&device, 20 + 19 + 5 + 2).await;
    let refused = lines
        .iter()
        .filter(|line| line.reason == "too many attempts");
    assert_eq!(refused.count(), 5);
    registry.stop().await;
}

#[tokio::test]
async fn a_stranger_who_names_a_device_does_not_use_up_its_attempts() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    for port in 0..50 {
        let mut forged = signed(&device, "gateway-1", "guess");
        forged.client_address = format!("198.51.100.7:{port}");
        let answer = registry.services.clone().claim_session(forged).await;
        assert_ne!(answer.unwrap().into_inner().verdict(), Verdict::Accepted);
    }
    registry.connect(&device, "gateway-1").await;
    registry.stop().await;
}

#[tokio::test]
async fn what_a_node_refused_by_itself_is_written_for_known_devices_only_and_not_without_end() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let refused = |name: &str, reason: &str| RefusedConnect {
        product_key: device.product_key.clone(),
        device_name: name.into(),
        reason: reason.into(),
        client_address: "192.0.2.1:4711".into(),
        protocol: "mqtt 5".into(),
        at: registry.house.clock().now_ms(),
    };
    for _ in 0..10 {
        let refusals = vec![
            refused("nobody", "keep-alive is under 30 s"),
            refused("a/b", "keep-alive is under 30 s"),
            refused(&device.device_name, "no such reason"),
            refused(&device.device_name, "keep-alive is under 30 s"),
        ];
        let told = registry
            .services
            .clone()
            .tell_refusals(TellRefusalsRequest { refusals })
            .await;
        told.unwrap();
    }
    registry.connect(&device, "gateway-1").await;
    let lines = registry.lines(&device, 5 + 1).await;
    let (refused, others): (Vec<_>, Vec<_>) = lines
        .iter()
        .partition(|line| line.content == "connect refused");
    assert_eq!((refused.len(), others.len()), (5, 1));
    assert!(
        refused
            .iter()
            .all(|line| line.failed && line.reason == "keep-alive is under 30 s")
    );
    registry.stop().await;
}

#[tokio::test]
async fn an_unknown_device_and_an_unreadable_claim_are_refused() {
    let registry = Registry::new().await;
    let mut device = registry.device().await;
    device.device_name = "pump-9".into();
    assert_eq!(
        registry.claim(&device, "gateway-1").await.verdict(),
        Verdict::UnknownDevice
    );
    assert!(registry.place(&device).await.is_none());

    let mut unreadable = claim_of(&device, "");
    unreadable.sign_method = "sha256".into();
    unreadable.device_name = "x".into();
    let refusal = registry.services.clone().claim_session(unreadable).await;
    let pointers = ["/node", "/deviceName", "/signMethod"].map(String::from);
    assert_eq!(refused(refusal), (Code::InvalidArgument, pointers.to_vec()));
    registry.stop().await;
}

#[tokio::test]
async fn after_a_reset_only_the_new_secret_opens_the_door_and_the_connection_is_kept() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    registry.connect(&device, "gateway-1").await;
    let reset = ResetDeviceSecretRequest {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
    };
    let reset = registry
        .people
        .clone()
        .reset_device_secret(me().ask(reset))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(registry.status(&device).await, device::Status::Online);
    assert_eq!(
        registry.claim(&device, "gateway-2").await.verdict(),
        Verdict::WrongSignature
    );
    assert_eq!(
        registry.claim(&reset, "gateway-2").await.verdict(),
        Verdict::Accepted
    );
    let event = registry.event("device.secret-reset").await;
    assert!(!event.after.contains(reset.device_secret()));
    registry.stop().await;
}

#[tokio::test]
async fn places_are_answered_in_the_order_of_the_questions() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let question = |name: &str| Question {
        product_key: device.product_key.clone(),
        device_name: name.into(),
    };
    let devices = vec![
        question("none-1"),
        question(&device.device_name),
        question("a\0b"),
        question("pump-1"),
    ];
    let answers = registry
        .services
        .clone()
        .locate(LocateRequest { devices })
        .await
        .unwrap()
        .into_inner()
        .answers;
    let there: Vec<_> = answers
        .iter()
        .map(|answer| answer.place.is_some())
        .collect();
    assert_eq!(there, [false, true, false, true]);
    assert_eq!(
        answers[1].place.as_ref().unwrap().status(),
        device::Status::Inactive
    );

    let request = FindProductsRequest {
        product_keys: vec!["none".into(), device.product_key.clone()],
    };
    let found = registry
        .services
        .clone()
        .find_products(request)
        .await
        .unwrap()
        .into_inner()
        .products;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].account_id, "acme");

    let many = LocateRequest {
        devices: vec![question("pump-1"); 1001],
    };
    assert_eq!(
        refused(registry.services.clone().locate(many).await),
        (Code::InvalidArgument, vec!["/devices".into()])
    );
    registry.stop().await;
}
