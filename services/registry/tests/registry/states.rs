use futures::future::join;
use proto::hoshu::bus::v1::close::Why;
use proto::hoshu::registry::internal::v1::claim_session_response::Verdict;
use proto::hoshu::registry::internal::v1::release::Reason;
use proto::hoshu::registry::v1::{
    DeleteDeviceRequest, Device, DisableDeviceRequest, EnableDeviceRequest, GetDeviceRequest,
    device,
};
use registry::Config;
use tonic::Code;

use crate::fixture::{Registry, me, refused};

async fn disable(registry: &Registry, device: &Device) -> Device {
    let request = DisableDeviceRequest {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
    };
    registry
        .people
        .clone()
        .disable_device(me().ask(request))
        .await
        .unwrap()
        .into_inner()
}

async fn enable(registry: &Registry, device: &Device) -> Device {
    let request = EnableDeviceRequest {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
    };
    registry
        .people
        .clone()
        .enable_device(me().ask(request))
        .await
        .unwrap()
        .into_inner()
}

async fn delete(registry: &Registry, device: &Device) {
    let request = DeleteDeviceRequest {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
    };
    registry
        .people
        .clone()
        .delete_device(me().ask(request))
        .await
        .unwrap();
}

#[tokio::test]
async fn disabling_closes_the_connection_at_once_and_enabling_lets_it_back() {
    let registry = Registry::new().await;
    let gateway = registry.gateway().await;
    let device = registry.device().await;
    let session = registry
        .claim(&device, gateway.node())
        .await
        .session
        .unwrap();

    assert_eq!(
        disable(&registry, &device).await.status(),
        device::Status::Disabled
    );
    assert_eq!(
        gateway.closings(1).await,
        [(session.number, i32::from(Why::Disabled))]
    );
    // What the node says of it afterwards is old.
    registry
        .release(
            session.device_id,
            session.number,
            Reason::ConnectionException,
        )
        .await;
    assert_eq!(
        registry.claim(&device, gateway.node()).await.verdict(),
        Verdict::Disabled
    );
    let place = registry.place(&device).await.unwrap();
    assert_eq!(
        (place.status(), place.node.as_str()),
        (device::Status::Disabled, "")
    );

    assert_eq!(
        enable(&registry, &device).await.status(),
        device::Status::Offline
    );
    registry.connect(&device, gateway.node()).await;
    let lines = registry.lines(&device, 4).await;
    let end = lines.iter().find(|line| line.content == "offline").unwrap();
    assert_eq!(
        (end.reason.as_str(), end.failed),
        ("Connection occurs exception", true)
    );
    assert_eq!(end.detail["cause"], "device disabled");
    assert!(lines.iter().any(|line| line.reason == "device is disabled"));
    let event = registry.event("device.disabled").await;
    assert!(event.before.contains("ONLINE") && event.after.contains("DISABLED"));
    registry.stop().await;
}

#[tokio::test]
async fn disabling_twice_is_told_once_and_a_device_that_never_connected_stays_inactive() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    disable(&registry, &device).await;
    disable(&registry, &device).await;
    assert_eq!(
        enable(&registry, &device).await.status(),
        device::Status::Inactive
    );
    registry.connect(&device, "gateway-1").await;
    assert_eq!(registry.status(&device).await, device::Status::Online);
    registry.lines(&device, 1).await;
    registry.stop().await;
}

#[tokio::test]
async fn deleting_closes_the_connection_and_the_name_is_free_again() {
    let registry = Registry::new().await;
    let gateway = registry.gateway().await;
    let product = registry.product().await;
    let device = registry.device_of(&product, "pump-1").await;
    let session = registry.connect(&device, gateway.node()).await;
    delete(&registry, &device).await;
    assert_eq!(
        gateway.closings(1).await,
        [(session, i32::from(Why::Deleted))]
    );
    assert_eq!(
        registry.claim(&device, gateway.node()).await.verdict(),
        Verdict::UnknownDevice
    );
    let get = GetDeviceRequest {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
    };
    assert_eq!(
        refused(registry.people.clone().get_device(me().ask(get)).await).0,
        Code::NotFound
    );
    assert_eq!(
        registry.lines(&device, 2).await[1].detail["cause"],
        "device deleted"
    );

    let again = registry.device_of(&product, "pump-1").await;
    assert_ne!(again.iot_id, device.iot_id);
    assert_eq!(
        registry.claim(&device, gateway.node()).await.verdict(),
        Verdict::WrongSignature
    );
    registry.connect(&again, gateway.node()).await;
    registry.stop().await;
}

#[tokio::test]
async fn a_device_disabled_while_it_connects_does_not_stay_connected() {
    let registry = Registry::with(Config {
        attempts_per_minute: 1000,
        ..Config::default()
    })
    .await;
    let product = registry.product().await;
    for n in 0..20 {
        let device = registry.device_of(&product, &format!("pump-{n}")).await;
        let (answer, _) = join(
            registry.claim(&device, "gateway-1"),
            disable(&registry, &device),
        )
        .await;
        let place = registry.place(&device).await.unwrap();
        assert_eq!(
            (place.status(), place.node.as_str()),
            (device::Status::Disabled, "")
        );
        assert!([Verdict::Accepted, Verdict::Disabled].contains(&answer.verdict()));
    }
    registry.stop().await;
}

#[tokio::test]
async fn a_device_deleted_while_it_connects_leaves_no_session() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    for n in 0..20 {
        let device = registry.device_of(&product, &format!("pump-{n}")).await;
        join(
            registry.claim(&device, "gateway-1"),
            delete(&registry, &device),
        )
        .await;
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM registry.session")
        .fetch_one(&registry.house.pool().await)
        .await
        .unwrap();
    assert_eq!(left, 0);
    registry.stop().await;
}
