//! A registry that knows every device but `unknown` and `disabled`, and remembers what it was told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chassis::Noun;
use proto::hoshu::registry::internal::v1::{
    ClaimSessionRequest, ClaimSessionResponse, FindProductsRequest, FindProductsResponse,
    LocateRequest, LocateResponse, Place, PreviousSession, RefusedConnect, Release,
    ReleaseSessionsRequest, ReleaseSessionsResponse, RenewLeaseRequest, RenewLeaseResponse,
    Session, TellRefusalsRequest, TellRefusalsResponse,
    claim_session_response::Verdict,
    locate_request::Question,
    locate_response::Answer,
    release::Reason,
    session_service_server::{SessionService, SessionServiceServer},
};
use testbench::{House, wait_until};
use tonic::{Request, Response, Status, service::Routes};

#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    number: u64,
    claims: usize,
    current: HashMap<i64, PreviousSession>,
    releases: Vec<Release>,
    refusals: Vec<RefusedConnect>,
    lapsed: bool,
    refuses_releases: usize,
    loses_answer: bool,
}

/// The number of a device, by its name.
pub fn id_of(name: &str) -> i64 {
    name.bytes().fold(7, |id: i64, byte| {
        id.wrapping_mul(31).wrapping_add(byte.into())
    }) & i64::MAX
}

impl Registry {
    pub async fn serve(house: &House) -> Self {
        let registry = Self::default();
        let server = SessionServiceServer::new(registry.clone());
        house
            .chassis(Noun::Registry)
            .serve(Routes::new(server))
            .await
            .unwrap();
        registry
    }

    pub fn claims(&self) -> usize {
        self.0.lock().unwrap().claims
    }

    pub fn node_of(&self, name: &str) -> Option<String> {
        self.0
            .lock()
            .unwrap()
            .current
            .get(&id_of(name))
            .map(|session| session.node.clone())
    }

    pub fn lapse(&self) {
        self.0.lock().unwrap().lapsed = true;
    }

    /// The next claim is taken, and its answer lost.
    pub fn lose_answer(&self) {
        self.0.lock().unwrap().loses_answer = true;
    }

    pub fn refuse_releases(&self, times: usize) {
        self.0.lock().unwrap().refuses_releases = times;
    }

    /// CONNECTs that the gateway refused by itself: name and reason.
    pub fn refusals(&self) -> Vec<(String, String)> {
        let state = self.0.lock().unwrap();
        let refusals = state.refusals.iter();
        refusals
            .map(|refused| (refused.device_name.clone(), refused.reason.clone()))
            .collect()
    }

    /// Why the device's sessions ended so far, once there are as many.
    pub async fn releases(&self, name: &str, count: usize) -> Vec<(Reason, String)> {
        let of_device = || {
            let state = self.0.lock().unwrap();
            let releases = state
                .releases
                .iter()
                .filter(|release| release.device_id == id_of(name));
            releases
                .map(|release| (release.reason(), release.detail.clone()))
                .collect::<Vec<_>>()
        };
        wait_until("the registry is told", || async {
            of_device().len() >= count
        })
        .await;
        of_device()
    }
}

#[tonic::async_trait]
impl SessionService for Registry {
    async fn claim_session(
        &self,
        request: Request<ClaimSessionRequest>,
    ) -> Result<Response<ClaimSessionResponse>, Status> {
        let request = request.into_inner();
        let mut state = self.0.lock().unwrap();
        state.claims += 1;
        let verdict = match (&*request.device_name, &*request.signature) {
            ("unknown", _) => Verdict::UnknownDevice,
            ("disabled", _) => Verdict::Disabled,
            (_, b"bad") => Verdict::WrongSignature,
            _ => Verdict::Accepted,
        };
        if verdict != Verdict::Accepted {
            return Ok(Response::new(ClaimSessionResponse {
                verdict: verdict.into(),
                ..Default::default()
            }));
        }
        state.number += 1;
        let number = state.number;
        let device_id = id_of(&request.device_name);
        let here = PreviousSession {
            node: request.node,
            number,
        };
        let previous = state.current.insert(device_id, here);
        if std::mem::take(&mut state.loses_answer) {
            return Err(Status::unavailable("gone in the middle"));
        }
        Ok(Response::new(ClaimSessionResponse {
            verdict: verdict.into(),
            session: Some(Session {
                number,
                account_id: "acme".into(),
                device_id,
                iot_id: format!("iot-{}", request.device_name),
                ..Session::default()
            }),
            previous,
        }))
    }

    async fn release_sessions(
        &self,
        request: Request<ReleaseSessionsRequest>,
    ) -> Result<Response<ReleaseSessionsResponse>, Status> {
        let mut state = self.0.lock().unwrap();
        if state.refuses_releases > 0 {
            state.refuses_releases -= 1;
            return Err(Status::unavailable("not now"));
        }
        for release in request.into_inner().releases {
            let is_current = state
                .current
                .get(&release.device_id)
                .is_some_and(|held| held.number == release.session);
            if is_current {
                state.current.remove(&release.device_id);
            }
            state.releases.push(release);
        }
        Ok(Response::new(ReleaseSessionsResponse {}))
    }

    async fn tell_refusals(
        &self,
        request: Request<TellRefusalsRequest>,
    ) -> Result<Response<TellRefusalsResponse>, Status> {
        let refusals = request.into_inner().refusals;
        self.0.lock().unwrap().refusals.extend(refusals);
        Ok(Response::new(TellRefusalsResponse {}))
    }

    async fn renew_lease(
        &self,
        _: Request<RenewLeaseRequest>,
    ) -> Result<Response<RenewLeaseResponse>, Status> {
        let lapsed = std::mem::take(&mut self.0.lock().unwrap().lapsed);
        Ok(Response::new(RenewLeaseResponse { lapsed }))
    }

    async fn locate(
        &self,
        request: Request<LocateRequest>,
    ) -> Result<Response<LocateResponse>, Status> {
        let state = self.0.lock().unwrap();
        let place = |question: Question| {
            let device_id = id_of(&question.device_name);
            let held = state.current.get(&device_id);
            Answer {
                place: Some(Place {
                    device_id,
                    node: held.map(|held| held.node.clone()).unwrap_or_default(),
                    session: held.map_or(0, |held| held.number),
                    ..Place::default()
                }),
            }
        };
        let answers = request
            .into_inner()
            .devices
            .into_iter()
            .map(place)
            .collect();
        Ok(Response::new(LocateResponse { answers }))
    }

    async fn find_products(
        &self,
        _: Request<FindProductsRequest>,
    ) -> Result<Response<FindProductsResponse>, Status> {
        Err(Status::unimplemented("not the gateway's to ask"))
    }
}
