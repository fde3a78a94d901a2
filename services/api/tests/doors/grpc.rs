//! The programs' door: the same operations, with the same token.

use chassis::Refusal;
use proto::hoshu::account::v1::account_service_client::AccountServiceClient;
use proto::hoshu::account::v1::{CreateUserRequest, GetAccountRequest};
use proto::hoshu::registry::v1::GetProductRequest;
use proto::hoshu::registry::v1::registry_service_client::RegistryServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::bench::Bench;

type Value = MetadataValue<Ascii>;

fn with(token: &str) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone + use<> {
    let value: Value = format!("Bearer {token}").parse().unwrap();
    move |mut request: Request<()>| {
        request
            .metadata_mut()
            .insert("authorization", value.clone());
        Ok(request)
    }
}

#[tokio::test]
async fn a_generated_client_does_what_rest_does() {
    let bench = Bench::new().await;
    let mut accounts =
        AccountServiceClient::with_interceptor(bench.channel.clone(), with(&bench.admin));
    let account = accounts
        .get_account(GetAccountRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(account.name, "one");
    let user = accounts
        .create_user(CreateUserRequest {
            name: "ada".into(),
            role: 1,
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        bench
            .get(&bench.admin, &format!("/users/{}", user.id))
            .await
            .done()["role"],
        "VIEWER"
    );

    let status = accounts
        .create_user(CreateUserRequest {
            name: "a\0".into(),
            role: 1,
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let status = accounts
        .create_user(CreateUserRequest::default())
        .await
        .unwrap_err();
    let pointers: Vec<_> = Refusal::from(&status)
        .errors
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    assert_eq!(pointers, ["/name", "/role"]);
    bench.stop().await;
}

#[tokio::test]
async fn a_services_refusal_keeps_its_details_and_hides_its_insides() {
    let bench = Bench::new().await;
    let mut registry =
        RegistryServiceClient::with_interceptor(bench.channel.clone(), with(&bench.admin));
    let mut ask = async |name: &str| {
        registry
            .get_product(GetProductRequest {
                product_key: name.into(),
            })
            .await
            .unwrap_err()
    };
    let offline = Refusal::from(ask("offline").await);
    assert_eq!(
        (offline.kind, offline.code),
        (Code::FailedPrecondition, Some(9201))
    );
    let leaked = ask("leak").await;
    assert_eq!(leaked.code(), Code::Internal);
    assert!(!leaked.message().contains("SELECT"), "{leaked:?}");
    assert_eq!(ask("panic").await.code(), Code::Internal);
    bench.stop().await;
}

#[tokio::test]
async fn without_a_token_or_an_operation_nothing_is_carried() {
    let bench = Bench::new().await;
    let code =
        async |token: Option<&str>, path: &str| bench.call(token, path).await.unwrap_err().code();
    assert_eq!(
        code(None, "/hoshu.registry.v1.RegistryService/ListProducts").await,
        Code::Unauthenticated
    );
    for hidden in [
        "/hoshu.registry.internal.v1.SessionService/Locate",
        "/hoshu.registry.v1.RegistryService/Nothing",
        "/nothing.Here/AtAll",
        "/nothing",
    ] {
        assert_eq!(
            code(Some(&bench.admin), hidden).await,
            Code::Unimplemented,
            "{hidden}"
        );
    }
    assert!(bench.peers.take().is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn health_is_told_without_a_token() {
    let bench = Bench::new().await;
    let mut health = HealthClient::new(bench.channel.clone());
    for service in ["", "hoshu.registry.v1.RegistryService"] {
        let answer = health
            .check(HealthCheckRequest {
                service: service.into(),
            })
            .await
            .unwrap();
        assert_eq!(answer.into_inner().status, 1, "{service}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_message_of_another_kind_is_refused_and_not_carried() {
    let bench = Bench::new().await;
    let number_where_a_text_stands = prost_types::Timestamp {
        seconds: 1,
        nanos: 0,
    };
    let mut request = Request::new(number_where_a_text_stands);
    let token: Value = format!("Bearer {}", bench.admin).parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    let mut grpc = tonic::client::Grpc::new(bench.channel.clone());
    grpc.ready().await.unwrap();
    let path = "/hoshu.registry.v1.RegistryService/GetProduct"
        .parse()
        .unwrap();
    let codec = tonic_prost::ProstCodec::<prost_types::Timestamp, ()>::default();
    let status = grpc.unary(request, path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(bench.peers.take().is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn reflection_lists_the_public_services_alone() {
    let bench = Bench::new().await;
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(bench.channel.clone());
    let answers = reflection
        .server_reflection_info(futures::stream::iter([ask]))
        .await;
    let answer = answers
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap()
        .unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: Vec<String> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    assert!(
        names.contains(&"hoshu.registry.v1.RegistryService".to_owned()),
        "{names:?}"
    );
    assert!(
        names.iter().all(|name| !name.contains("internal")),
        "{names:?}"
    );
    bench.stop().await;
}
