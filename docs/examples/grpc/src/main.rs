//! Makes a product and a device, lists devices, and reads a refusal's code.
//!
//! usage: grpc-quick-start ADDRESS TOKEN_FILE

use std::error::Error;

use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic_types::StatusExt;

use api::hoshu::registry::v1::registry_service_client::RegistryServiceClient;
use api::hoshu::registry::v1::{
    CreateDeviceRequest, CreateProductRequest, ListDevicesRequest, data_format_kind::DataFormat,
    edition_kind::Edition, product::NodeType,
};
use api::hoshu::thing::v1::SetPropertiesRequest;
use api::hoshu::thing::v1::thing_service_client::ThingServiceClient;

/// What build.rs made of the .proto files.
#[allow(dead_code, unreachable_pub)]
mod api {
    include!(concat!(env!("OUT_DIR"), "/hoshu.rs"));
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [address, token_file] = arguments()?;
    let token = std::fs::read_to_string(token_file)?;
    let bearer: MetadataValue<Ascii> = format!("Bearer {}", token.trim()).parse()?;
    let channel = Channel::from_shared(address)?.connect().await?;
    let with_token = move |mut request: Request<()>| {
        request
            .metadata_mut()
            .insert("authorization", bearer.clone());
        Ok(request)
    };
    let mut registry = RegistryServiceClient::with_interceptor(channel.clone(), with_token.clone());
    let mut things = ThingServiceClient::with_interceptor(channel, with_token);

    let product = CreateProductRequest {
        name: "Made from Rust".into(),
        node_type: NodeType::Device.into(),
        data_format: DataFormat::AlinkJson.into(),
        edition: Edition::Pro.into(),
    };
    let product_key = registry
        .create_product(product)
        .await?
        .into_inner()
        .product_key;
    println!("product {product_key}");

    let device = CreateDeviceRequest {
        product_key: product_key.clone(),
        device_name: Some("boiler_01".into()),
    };
    registry.create_device(device).await?;
    let list = ListDevicesRequest {
        product_key: product_key.clone(),
        ..ListDevicesRequest::default()
    };
    for device in registry.list_devices(list).await?.into_inner().items {
        println!("device {} is {:?}", device.device_name, device.status());
    }

    let set = SetPropertiesRequest {
        product_key,
        device_name: "boiler_01".into(),
        params: r#"{"setpoint":7.5}"#.into(),
        wait_seconds: None,
    };
    if let Err(status) = things.set_properties(set).await {
        let info = status.get_details_error_info();
        let code = info.and_then(|info| info.metadata.get("code").cloned());
        println!(
            "refused: {:?}, code {code:?}: {}",
            status.code(),
            status.message()
        );
    }
    Ok(())
}

fn arguments() -> Result<[String; 2], String> {
    let all: Vec<String> = std::env::args().skip(1).collect();
    <[String; 2]>::try_from(all).map_err(|_| "usage: grpc-quick-start ADDRESS TOKEN_FILE".into())
}
