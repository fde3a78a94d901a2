use proto::hoshu::registry::internal::v1::release::Reason;
use proto::hoshu::registry::v1::{
    CreateDeviceRequest, DisableDeviceRequest, ListDevicesRequest, Product, device,
};
use tonic::Code;

use crate::fixture::{Registry, me, refused};

#[tokio::test]
async fn a_device_shows_its_secret_once_and_its_name_may_be_generated() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let request = CreateDeviceRequest {
        product_key: product.product_key,
        device_name: None,
    };
    let made = registry
        .people
        .clone()
        .create_device(me().ask(request))
        .await
        .unwrap()
        .into_inner();
    assert!(alink::DeviceName::is_valid(&made.device_name));
    assert_eq!(made.device_secret().len(), 32);
    let read = registry.look(&made).await;
    assert_eq!((read.device_secret, read.iot_id), (None, made.iot_id));
    assert_eq!(made.status, i32::from(device::Status::Inactive));
    registry.stop().await;
}

#[tokio::test]
async fn a_name_that_is_wrong_or_taken_is_refused() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    registry.device_of(&product, "pump-1").await;
    for (name, kind) in [
        ("pump-1", Code::AlreadyExists),
        ("p", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        let request = CreateDeviceRequest {
            product_key: product.product_key.clone(),
            device_name: Some(name.into()),
        };
        let answer = registry
            .people
            .clone()
            .create_device(me().ask(request))
            .await;
        assert_eq!(
            refused(answer),
            (kind, vec!["/deviceName".into()]),
            "{name:?}"
        );
    }
    registry.stop().await;
}

async fn names(
    registry: &Registry,
    product: &Product,
    status: Option<device::Status>,
    query: &str,
) -> Vec<String> {
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListDevicesRequest {
            product_key: product.product_key.clone(),
            status: status.map(i32::from),
            query: (!query.is_empty()).then(|| query.into()),
            page_size: 2,
            page_token,
        };
        let page = registry
            .people
            .clone()
            .list_devices(me().ask(request))
            .await
            .unwrap()
            .into_inner();
        names.extend(page.items.into_iter().map(|device| device.device_name));
        let Some(next) = page.next_page_token else {
            return names;
        };
        page_token = next;
    }
}

#[tokio::test]
async fn devices_are_found_by_status_and_by_the_beginning_of_their_name() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let mut devices = Vec::new();
    for name in ["pump-1", "pump-2", "pump.3", "valve-1", "valve-2"] {
        devices.push(registry.device_of(&product, name).await);
    }
    registry.connect(&devices[0], "gateway-1").await;
    let session = registry
        .claim(&devices[1], "gateway-1")
        .await
        .session
        .unwrap();
    registry
        .release(session.device_id, session.number, Reason::DeviceDisconnect)
        .await;
    let disable = DisableDeviceRequest {
        product_key: product.product_key.clone(),
        device_name: "valve-1".into(),
    };
    registry
        .people
        .clone()
        .disable_device(me().ask(disable))
        .await
        .unwrap();

    use device::Status::*;
    for (status, query, expected) in [
        (
            None,
            "",
            &["valve-2", "valve-1", "pump.3", "pump-2", "pump-1"][..],
        ),
        (None, "pump", &["pump.3", "pump-2", "pump-1"]),
        (None, "pump-", &["pump-2", "pump-1"]),
        (None, "PUMP", &[]),
        (None, "%", &[]),
        (Some(Online), "", &["pump-1"]),
        (Some(Offline), "", &["pump-2"]),
        (Some(Inactive), "", &["valve-2", "pump.3"]),
        (Some(Inactive), "valve", &["valve-2"]),
        (Some(Disabled), "", &["valve-1"]),
    ] {
        assert_eq!(
            names(&registry, &product, status, query).await,
            expected,
            "{status:?} {query}"
        );
    }
    registry.stop().await;
}
