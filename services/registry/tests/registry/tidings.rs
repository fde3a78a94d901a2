use chassis::Noun;
use proto::hoshu::bus::v1::close::Why;
use proto::hoshu::registry::v1::{DisableDeviceRequest, device};
use registry::Config;
use testbench::wait_until;

use crate::fixture::{Registry, claim_of, me};

#[tokio::test]
async fn what_was_committed_while_nats_was_away_is_told_when_it_is_back() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    registry.house.nats_link().cut();
    let session = registry.connect(&device, "gateway-1").await;
    assert_eq!(registry.status(&device).await, device::Status::Online);
    registry.house.nats_link().mend();
    assert_eq!(registry.lines(&device, 1).await[0].content, "online");
    assert_eq!(registry.presence(1).await[0].0, session);
    wait_until("nothing is left to be told", || async {
        rows(&registry).await == 0
    })
    .await;
    registry.stop().await;
}

#[tokio::test]
async fn rows_that_another_pod_left_behind_are_told() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let pool = registry.house.pool().await;
    registry.connect(&device, "gateway-1").await;
    registry.lines(&device, 1).await;
    // As if a pod had died between its commit and the publishing.
    let left = proto::hoshu::bus::v1::LogBatch {
        entries: vec![proto::hoshu::bus::v1::LogEntry {
            message_id: vec![1; 16].into(),
            part: 0,
            device: Some(proto::hoshu::bus::v1::DeviceRef {
                product_key: device.product_key.clone(),
                device_name: device.device_name.clone(),
                ..Default::default()
            }),
            lines: vec![bus::log::line(0, &alink::log::Content::Offline)],
        }],
    };
    let batch = prost::Message::encode_to_vec(&left);
    sqlx::query("INSERT INTO registry.told (kind, batch) VALUES (1, $1)")
        .bind(batch)
        .execute(&pool)
        .await
        .unwrap();
    registry.lines(&device, 2).await;
    wait_until("it is told", || async { rows(&registry).await == 0 }).await;
    registry.stop().await;
}

#[tokio::test]
async fn a_node_that_is_not_there_is_asked_to_close_until_it_counts_as_lost() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    registry.renew("gateway-1").await;
    registry.connect(&device, "gateway-1").await;
    let request = DisableDeviceRequest {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
    };
    registry
        .people
        .clone()
        .disable_device(me().ask(request))
        .await
        .unwrap();
    registry.lines(&device, 2).await;
    assert_eq!(rows(&registry).await, 1, "the closing waits");
    registry.house.clock().advance(crate::fixture::LEASE * 2);
    wait_until("the closing is given up", || async {
        rows(&registry).await == 0
    })
    .await;
    registry.stop().await;
}

#[tokio::test]
async fn a_session_that_nobody_waited_for_is_ended_and_its_predecessor_closed() {
    let registry = Registry::new().await;
    let gateway = registry.gateway().await;
    let device = registry.device().await;
    let first = registry.connect(&device, gateway.node()).await;
    // The claim is in the queue, behind a row that is held; then its caller goes.
    let pool = registry.house.pool().await;
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM registry.session FOR UPDATE")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut services = registry.services.clone();
    let gone = tokio::time::timeout(
        std::time::Duration::from_millis(300),
        services.claim_session(claim_of(&device, "gateway-2")),
    );
    assert!(gone.await.is_err());
    held.commit().await.unwrap();

    assert_eq!(gateway.closings(1).await, [(first, i32::from(Why::Kicked))]);
    wait_until("the device is offline", || async {
        registry.status(&device).await == device::Status::Offline
    })
    .await;
    registry.stop().await;
}

#[tokio::test]
async fn two_pods_share_the_work() {
    let registry = Registry::new().await;
    registry::start(Config::default(), registry.house.chassis(Noun::Registry))
        .await
        .unwrap();
    let product = registry.product().await;
    let mut devices = Vec::new();
    for n in 0..20 {
        let device = registry.device_of(&product, &format!("pump-{n}")).await;
        registry.connect(&device, "gateway-1").await;
        devices.push(device);
    }
    registry.house.clock().advance(crate::fixture::LEASE * 2);
    assert_eq!(registry.presence(40).await.len(), 40);
    for device in &devices {
        // Every session ends once, whichever pod ends it.
        registry.lines(device, 2).await;
    }
    registry.stop().await;
}

async fn rows(registry: &Registry) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM registry.told")
        .fetch_one(&registry.house.pool().await)
        .await
        .unwrap()
}
