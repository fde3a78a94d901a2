use proto::hoshu::registry::v1::{
    CreateProductRequest, DeleteProductRequest, GetProductRequest, ListProductsRequest,
    UpdateProductRequest, data_format_kind, edition_kind, product,
};
use tonic::Code;

use crate::fixture::{Registry, me, refused};

#[tokio::test]
async fn a_product_is_made_renamed_and_deleted_and_each_change_is_told_without_its_secret() {
    let registry = Registry::new().await;
    let made = registry.product().await;
    assert_eq!(made.product_key.len(), 11);
    assert_eq!(made.product_secret().len(), 16);

    let key = || made.product_key.clone();
    let mut people = registry.people.clone();
    let read = people
        .get_product(me().ask(GetProductRequest { product_key: key() }))
        .await;
    let read = read.unwrap().into_inner();
    assert_eq!(read.product_secret, None, "a secret is shown once");
    assert_eq!(
        (&read.name, read.edition()),
        (&"pump".to_owned(), edition_kind::Edition::Pro)
    );

    let rename = UpdateProductRequest {
        product_key: key(),
        name: Some("boiler".into()),
    };
    let renamed = people
        .update_product(me().ask(rename))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(renamed.name, "boiler");
    people
        .delete_product(me().ask(DeleteProductRequest { product_key: key() }))
        .await
        .unwrap();
    let gone = people
        .get_product(me().ask(GetProductRequest { product_key: key() }))
        .await;
    assert_eq!(refused(gone).0, Code::NotFound);

    let created = registry.event("product.created").await;
    assert_eq!(created.subject, format!("product/{}", key()));
    assert_eq!(
        (created.account_id.as_str(), created.actor.as_str()),
        ("acme", "ana/console")
    );
    assert!(created.before.is_empty() && created.after.contains(r#""name":"pump""#));
    assert!(!created.after.contains(made.product_secret()) && !created.after.contains("ecret"));
    let updated = registry.event("product.updated").await;
    assert!(updated.before.contains("pump") && updated.after.contains("boiler"));
    let deleted = registry.event("product.deleted").await;
    assert!(deleted.before.contains("boiler") && deleted.after.is_empty());
    registry.stop().await;
}

#[tokio::test]
async fn every_fault_of_a_product_is_named_by_its_pointer() {
    let registry = Registry::new().await;
    let nothing = registry
        .people
        .clone()
        .create_product(me().ask(CreateProductRequest::default()))
        .await;
    let pointers = ["/name", "/nodeType", "/edition", "/dataFormat"].map(String::from);
    assert_eq!(refused(nothing), (Code::InvalidArgument, pointers.to_vec()));

    let raw_basic = CreateProductRequest {
        name: "pump".into(),
        node_type: product::NodeType::Device.into(),
        data_format: data_format_kind::DataFormat::Custom.into(),
        edition: edition_kind::Edition::Basic.into(),
    };
    let raw_basic = registry
        .people
        .clone()
        .create_product(me().ask(raw_basic))
        .await;
    assert_eq!(
        refused(raw_basic),
        (Code::InvalidArgument, vec!["/dataFormat".into()])
    );
    registry.stop().await;
}

#[tokio::test]
async fn a_product_with_devices_is_not_deleted() {
    let registry = Registry::new().await;
    let device = registry.device().await;
    let delete = DeleteProductRequest {
        product_key: device.product_key,
    };
    let refusal = registry
        .people
        .clone()
        .delete_product(me().ask(delete))
        .await;
    assert_eq!(refused(refusal).0, Code::FailedPrecondition);
    registry.stop().await;
}

#[tokio::test]
async fn products_are_listed_newest_first_page_by_page() {
    let registry = Registry::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, registry.product().await.product_key);
    }
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListProductsRequest {
            page_size: 2,
            page_token,
        };
        let page = registry
            .people
            .clone()
            .list_products(me().ask(request))
            .await
            .unwrap()
            .into_inner();
        assert!(page.items.len() <= 2);
        listed.extend(page.items.into_iter().map(|product| product.product_key));
        let Some(next) = page.next_page_token else {
            break;
        };
        page_token = next;
    }
    assert_eq!(listed, made);

    let foreign_token = ListProductsRequest {
        page_size: 501,
        page_token: "zz".into(),
    };
    let refusal = registry
        .people
        .clone()
        .list_products(me().ask(foreign_token))
        .await;
    let pointers = ["/pageSize", "/pageToken"].map(String::from);
    assert_eq!(refused(refusal), (Code::InvalidArgument, pointers.to_vec()));
    registry.stop().await;
}
