//! The asked door: translate, call the rules and the store, translate back.

mod device_batches;
mod device_states;
mod devices;
mod places;
mod products;
mod sessions;
mod telling;
mod wire;

use std::sync::Arc;

use chassis::{Caller, Refusal};
use proto::hoshu::registry::internal::v1::session_service_server::{
    SessionService, SessionServiceServer,
};
use proto::hoshu::registry::internal::v1::{
    ClaimSessionRequest, ClaimSessionResponse, FindProductsRequest, FindProductsResponse,
    LocateRequest, LocateResponse, ReleaseSessionsRequest, ReleaseSessionsResponse,
    RenewLeaseRequest, RenewLeaseResponse, TellRefusalsRequest, TellRefusalsResponse,
};
use proto::hoshu::registry::v1::registry_service_server::{RegistryService, RegistryServiceServer};
use proto::hoshu::registry::v1::{
    CreateDeviceRequest, CreateDevicesRequest, CreateDevicesResponse, CreateProductRequest,
    DeleteDeviceRequest, DeleteDeviceResponse, DeleteProductRequest, DeleteProductResponse, Device,
    DisableDeviceRequest, EnableDeviceRequest, GetDeviceRequest, GetProductRequest,
    ListDevicesRequest, ListDevicesResponse, ListProductsRequest, ListProductsResponse, Product,
    ResetDeviceSecretRequest, UpdateProductRequest,
};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::Registry;

/// Bytes of a request: a batch of 10,000 names, or 1,000 questions, with room.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Both services of the registry.
pub(crate) fn routes(registry: Arc<Registry>) -> Routes {
    let people =
        RegistryServiceServer::new(Door(registry.clone())).max_decoding_message_size(REQUEST_BYTES);
    let services =
        SessionServiceServer::new(Door(registry)).max_decoding_message_size(REQUEST_BYTES);
    Routes::new(people).add_service(services)
}

struct Door(Arc<Registry>);

/// Answers a person's request: the caller is read, then the operation of that name does the work.
macro_rules! for_callers {
    ($($name:ident($request:ty) -> $answer:ty = $operation:path;)*) => {
        #[tonic::async_trait]
        impl RegistryService for Door {
            $(
                async fn $name(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                    let caller = Caller::of(&request)?;
                    answer($operation(&self.0, &caller, request.into_inner()).await)
                }
            )*
        }
    };
}

for_callers! {
    create_product(CreateProductRequest) -> Product = products::create;
    list_products(ListProductsRequest) -> ListProductsResponse = products::list;
    get_product(GetProductRequest) -> Product = products::get;
    update_product(UpdateProductRequest) -> Product = products::update;
    delete_product(DeleteProductRequest) -> DeleteProductResponse = products::delete;
    create_device(CreateDeviceRequest) -> Device = devices::create;
    create_devices(CreateDevicesRequest) -> CreateDevicesResponse = device_batches::create;
    list_devices(ListDevicesRequest) -> ListDevicesResponse = devices::list;
    get_device(GetDeviceRequest) -> Device = devices::get;
    delete_device(DeleteDeviceRequest) -> DeleteDeviceResponse = device_states::delete;
    disable_device(DisableDeviceRequest) -> Device = device_states::disable;
    enable_device(EnableDeviceRequest) -> Device = device_states::enable;
    reset_device_secret(ResetDeviceSecretRequest) -> Device = device_states::reset_secret;
}

/// Answers another service's request: it speaks for no account.
macro_rules! for_services {
    ($($name:ident($request:ty) -> $answer:ty = $operation:path;)*) => {
        #[tonic::async_trait]
        impl SessionService for Door {
            $(
                async fn $name(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                    answer($operation(&self.0, request.into_inner()).await)
                }
            )*
        }
    };
}

for_services! {
    claim_session(ClaimSessionRequest) -> ClaimSessionResponse = sessions::claim;
    release_sessions(ReleaseSessionsRequest) -> ReleaseSessionsResponse = sessions::release;
    tell_refusals(TellRefusalsRequest) -> TellRefusalsResponse = sessions::tell_refusals;
    renew_lease(RenewLeaseRequest) -> RenewLeaseResponse = sessions::renew;
    locate(LocateRequest) -> LocateResponse = places::locate;
    find_products(FindProductsRequest) -> FindProductsResponse = places::find_products;
}

fn answer<T>(result: Result<T, Refusal>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(Status::from)
}
