use std::collections::HashSet;

use proto::hoshu::registry::v1::{
    CreateDevicesRequest, CreateDevicesResponse, ListDevicesRequest, Product,
};
use tonic::{Code, Status};

use crate::fixture::{Registry, me, refused};

async fn batch(
    registry: &Registry,
    product: &Product,
    names: &[&str],
) -> Result<CreateDevicesResponse, Status> {
    let request = CreateDevicesRequest {
        product_key: product.product_key.clone(),
        device_names: names.iter().map(|&name| name.into()).collect(),
        count: None,
    };
    let answer = registry
        .people
        .clone()
        .create_devices(me().ask(request))
        .await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn a_batch_is_made_whole_in_its_order_with_secrets_that_work() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let made = batch(&registry, &product, &["pump-3", "pump-1", "pump-2"])
        .await
        .unwrap()
        .items;
    let names: Vec<_> = made.iter().map(|item| item.device_name.as_str()).collect();
    assert_eq!(names, ["pump-3", "pump-1", "pump-2"]);
    for item in made {
        let device = proto::hoshu::registry::v1::Device {
            product_key: product.product_key.clone(),
            device_name: item.device_name,
            device_secret: Some(item.device_secret),
            ..Default::default()
        };
        assert_eq!(registry.look(&device).await.iot_id, item.iot_id);
        registry.connect(&device, "gateway-1").await;
    }
    let event = registry.event("devices.created").await;
    assert!(event.after.contains("pump-3") && !event.after.contains("ecret"));
    registry.stop().await;
}

#[tokio::test]
async fn a_batch_with_one_taken_name_makes_none() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    registry.device_of(&product, "pump-2").await;
    let refusal = batch(&registry, &product, &["pump-1", "pump-2", "pump-3"]).await;
    assert_eq!(
        refused(refusal),
        (Code::AlreadyExists, vec!["/deviceNames/1".into()])
    );
    let list = ListDevicesRequest {
        product_key: product.product_key.clone(),
        ..Default::default()
    };
    let there = registry
        .people
        .clone()
        .list_devices(me().ask(list))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(there.items.len(), 1);
    registry.stop().await;
}

#[tokio::test]
async fn every_fault_of_a_batch_is_named_by_its_pointer() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let refusal = batch(&registry, &product, &["pump-1", "no", "pump-1"]).await;
    let pointers = ["/deviceNames/1", "/deviceNames/2"].map(String::from);
    assert_eq!(refused(refusal), (Code::InvalidArgument, pointers.to_vec()));
    registry.stop().await;
}

#[tokio::test]
async fn ten_thousand_devices_are_made_by_one_request() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let request = CreateDevicesRequest {
        product_key: product.product_key.clone(),
        device_names: Vec::new(),
        count: Some(10_000),
    };
    let made = registry
        .people
        .clone()
        .create_devices(me().ask(request))
        .await
        .unwrap()
        .into_inner();
    let names: HashSet<_> = made.items.iter().map(|item| &item.device_name).collect();
    assert_eq!(names.len(), 10_000);
    registry.stop().await;
}
