use proto::hoshu::registry::v1::{
    CreateDeviceRequest, CreateDevicesRequest, DeleteDeviceRequest, DeleteProductRequest,
    DisableDeviceRequest, EnableDeviceRequest, GetDeviceRequest, GetProductRequest,
    ListDevicesRequest, ListProductsRequest, ResetDeviceSecretRequest, UpdateProductRequest,
    device,
};
use tonic::Code;

use crate::fixture::{Registry, refused, stranger};

/// Asks every operation on a thing of another account.
macro_rules! not_there_for_a_stranger {
    ($registry:ident, $($operation:ident $request:expr;)*) => {
        $(
            let answer = $registry.people.clone().$operation(stranger().ask($request)).await;
            assert_eq!(refused(answer).0, Code::NotFound, stringify!($operation));
        )*
    };
}

#[tokio::test]
async fn another_accounts_things_are_not_there() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let product_key = || device.product_key.clone();
    let device_name = || device.device_name.clone();
    not_there_for_a_stranger! { registry,
        get_product GetProductRequest { product_key: product_key() };
        update_product UpdateProductRequest { product_key: product_key(), name: Some("mine".into()) };
        // Nor does a fault in the request tell that it is there.
        update_product UpdateProductRequest { product_key: product_key(), name: Some(String::new()) };
        delete_product DeleteProductRequest { product_key: product_key() };
        create_device CreateDeviceRequest { product_key: product_key(), device_name: None };
        create_device CreateDeviceRequest { product_key: product_key(), device_name: Some("x".into()) };
        create_devices CreateDevicesRequest { product_key: product_key(), count: Some(1), device_names: vec![] };
        create_devices CreateDevicesRequest { product_key: product_key(), count: Some(0), device_names: vec![] };
        list_devices ListDevicesRequest { product_key: product_key(), ..Default::default() };
        list_devices ListDevicesRequest { product_key: product_key(), page_size: 501, ..Default::default() };
        get_device GetDeviceRequest { product_key: product_key(), device_name: device_name() };
        delete_device DeleteDeviceRequest { product_key: product_key(), device_name: device_name() };
        disable_device DisableDeviceRequest { product_key: product_key(), device_name: device_name() };
        enable_device EnableDeviceRequest { product_key: product_key(), device_name: device_name() };
        reset_device_secret ResetDeviceSecretRequest { product_key: product_key(), device_name: device_name() };
    }
    let theirs = registry
        .people
        .clone()
        .list_products(stranger().ask(ListProductsRequest::default()))
        .await;
    assert!(theirs.unwrap().into_inner().items.is_empty());
    assert_eq!(
        registry.status(&device).await,
        device::Status::Inactive,
        "nothing was done to it"
    );
    registry.stop().await;
}

#[tokio::test]
async fn who_names_no_account_is_not_served() {
    let registry = Registry::new().await;
    let answer = registry
        .people
        .clone()
        .list_products(ListProductsRequest::default())
        .await;
    assert_eq!(refused(answer).0, Code::Unauthenticated);
    registry.stop().await;
}
