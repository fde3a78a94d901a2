use proto::hoshu::registry::v1::device::Status;
use testbench::wait_until;

use crate::fixture::{LEASE, Registry};

#[tokio::test]
async fn a_node_that_dies_is_noticed_and_its_devices_become_offline() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let lost = registry.device_of(&product, "pump-1").await;
    let elsewhere = registry.device_of(&product, "pump-2").await;
    assert!(!registry.renew("gateway-1").await);
    registry.renew("gateway-2").await;
    registry.connect(&lost, "gateway-1").await;
    registry.connect(&elsewhere, "gateway-1").await;

    // One has come back through another node before the first one is missed.
    registry
        .house
        .clock()
        .advance(LEASE - std::time::Duration::from_secs(5));
    registry.renew("gateway-2").await;
    registry.connect(&elsewhere, "gateway-2").await;
    assert_eq!(
        registry.status(&lost).await,
        Status::Online,
        "its lease still runs"
    );

    registry
        .house
        .clock()
        .advance(std::time::Duration::from_secs(6));
    wait_until("the lost node's device is offline", || async {
        registry.status(&lost).await == Status::Offline
    })
    .await;
    assert_eq!(registry.status(&elsewhere).await, Status::Online);
    let end = registry.lines(&lost, 2).await.remove(1);
    assert_eq!(
        (end.reason.as_str(), end.failed),
        ("Connection occurs exception", true)
    );
    assert_eq!(end.detail["cause"], "gateway node lost");
    registry.stop().await;
}

#[tokio::test]
async fn a_node_that_comes_back_is_told_once_that_its_sessions_ended() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    registry.renew("gateway-1").await;
    registry.connect(&device, "gateway-1").await;
    registry.house.clock().advance(LEASE * 2);
    wait_until("the device is offline", || async {
        registry.status(&device).await == Status::Offline
    })
    .await;
    assert!(registry.renew("gateway-1").await);
    assert!(!registry.renew("gateway-1").await);
    registry.connect(&device, "gateway-1").await;
    assert_eq!(registry.status(&device).await, Status::Online);
    registry.stop().await;
}

#[tokio::test]
async fn a_node_that_dies_before_its_first_renewal_is_noticed_too() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    registry.connect(&device, "gateway-1").await;
    registry.house.clock().advance(LEASE * 2);
    wait_until("the device is offline", || async {
        registry.status(&device).await == Status::Offline
    })
    .await;

    // And so is one that claims again after it was given up, and then dies for good.
    registry.connect(&device, "gateway-1").await;
    registry.house.clock().advance(LEASE * 2);
    wait_until("the device is offline again", || async {
        registry.status(&device).await == Status::Offline
    })
    .await;
    registry.stop().await;
}

#[tokio::test]
async fn a_node_that_renews_keeps_its_devices() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    registry.renew("gateway-1").await;
    registry.connect(&device, "gateway-1").await;
    let other = registry.device().await;
    registry.connect(&other, "gateway-2").await;
    for _ in 0..4 {
        registry
            .house
            .clock()
            .advance(std::time::Duration::from_secs(5));
        assert!(!registry.renew("gateway-1").await);
    }
    // The reaper has been at work by then.
    wait_until("the silent node's device is offline", || async {
        registry.status(&other).await == Status::Offline
    })
    .await;
    assert_eq!(registry.status(&device).await, Status::Online);
    registry.stop().await;
}

#[tokio::test]
async fn a_node_that_could_not_be_heard_while_the_registry_was_away_keeps_its_devices() {
    let registry = Registry::new().await;
    let product = registry.product().await;
    let kept = registry.device_of(&product, "pump-1").await;
    let lost = registry.device_of(&product, "pump-2").await;
    registry.connect(&kept, "gateway-1").await;
    registry.connect(&lost, "gateway-2").await;
    // As a registry finds them that starts after an hour.
    sqlx::query("UPDATE registry.node_lease SET renewed_at = renewed_at - interval '1 hour'")
        .execute(&registry.house.pool().await)
        .await
        .unwrap();

    registry
        .house
        .clock()
        .advance(LEASE - std::time::Duration::from_secs(5));
    assert!(!registry.renew("gateway-1").await);
    registry
        .house
        .clock()
        .advance(std::time::Duration::from_secs(6));
    wait_until("the silent node's device is offline", || async {
        registry.status(&lost).await == Status::Offline
    })
    .await;
    assert_eq!(registry.status(&kept).await, Status::Online);
    registry.stop().await;
}
