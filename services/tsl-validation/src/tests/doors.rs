//! Models and what was reported, as callers see them.

use std::time::Duration;

use chassis::{Caller, Refusal};
use proto::hoshu::thing::v1::*;
use tonic::Code;

use super::bench::*;
use crate::store;

#[tokio::test]
async fn another_accounts_product_is_not_there() {
    with_pod(|bench| async {
        let stranger = Caller { account_id: "other".into(), actor: "stranger".into() };
        let mut client = bench.client();
        let (product_key, device_name) = (PRODUCT.to_owned(), "boiler_01".to_owned());
        macro_rules! refused {
            ($($rpc:ident($request:expr);)*) => {
                $(
                    let status = client.$rpc(stranger.ask($request)).await.unwrap_err();
                    assert_eq!(status.code(), Code::NotFound, stringify!($rpc));
                )*
            };
        }
        let (pk, dn) = (product_key, device_name);
        refused! {
            get_thing_model(GetThingModelRequest { product_key: pk.clone() });
            put_thing_model(PutThingModelRequest { product_key: pk.clone(), document: "{}".into() });
            publish_thing_model(PublishThingModelRequest { product_key: pk.clone() });
            list_thing_model_versions(ListThingModelVersionsRequest { product_key: pk.clone(), ..Default::default() });
            get_thing_model_version(GetThingModelVersionRequest { product_key: pk.clone(), version: 1 });
            check_message(CheckMessageRequest { product_key: pk.clone(), ..Default::default() });
            list_properties(ListPropertiesRequest { product_key: pk.clone(), device_name: dn.clone() });
            list_events(ListEventsRequest { product_key: pk.clone(), device_name: dn.clone(), ..Default::default() });
            set_properties(SetPropertiesRequest { product_key: pk.clone(), device_name: dn.clone(), params: "{}".into(), wait_seconds: None });
            call_service(CallServiceRequest { product_key: pk.clone(), device_name: dn.clone(), identifier: "Purge".into(), ..Default::default() });
        }
        assert!(bench.logged().is_empty() && bench.sent().is_empty());
        bench
    })
    .await;
}

#[tokio::test]
async fn a_draft_is_handed_out_as_it_was_written_and_judges_nothing_until_it_is_published() {
    with_pod(|bench| async {
        let mut client = bench.client();
        let document = BOILER
            .replace("\"max\":\"16\"", "\"max\":\"20\"")
            .replace("{\"properties\"", "{\"mine\":1.50,\"properties\"");
        let put = PutThingModelRequest {
            product_key: PRODUCT.into(),
            document,
        };
        client.put_thing_model(caller().ask(put)).await.unwrap();
        let get = GetThingModelRequest {
            product_key: PRODUCT.into(),
        };
        let draft = client
            .get_thing_model(caller().ask(get))
            .await
            .unwrap()
            .into_inner()
            .document;
        assert!(draft.contains("\"mine\":1.50") && draft.contains(PRODUCT));
        let check = || CheckMessageRequest {
            product_key: PRODUCT.into(),
            method: "thing.event.property.post".into(),
            params: r#"{"pressure":18}"#.into(),
        };
        let verdict = client
            .check_message(caller().ask(check()))
            .await
            .unwrap()
            .into_inner();
        assert_eq!((verdict.valid, verdict.code), (false, 6307));
        let publish = PublishThingModelRequest {
            product_key: PRODUCT.into(),
        };
        client
            .publish_thing_model(caller().ask(publish))
            .await
            .unwrap();
        let verdict = client
            .check_message(caller().ask(check()))
            .await
            .unwrap()
            .into_inner();
        assert_eq!((verdict.valid, verdict.code), (true, 200));
        bench
    })
    .await;
}

#[tokio::test]
async fn a_wrong_document_is_refused_with_pointers_and_changes_nothing() {
    with_pod(|bench| async {
        let document = r#"{"properties":[{"identifier":"a b","name":"x","accessMode":"r","dataType":{"type":"int"}},
                                         {"identifier":"c","name":"x","accessMode":"r","dataType":{"type":"colour"}}]}"#;
        let put = PutThingModelRequest { product_key: PRODUCT.into(), document: document.into() };
        let status = bench.client().put_thing_model(caller().ask(put)).await.unwrap_err();
        let refusal = Refusal::from(status);
        assert_eq!(refusal.kind, Code::InvalidArgument);
        let pointers: Vec<_> = refusal.errors.iter().map(|fault| fault.pointer.as_str()).collect();
        assert!(pointers.iter().any(|pointer| pointer.starts_with("/properties/0")), "{pointers:?}");
        assert!(pointers.iter().any(|pointer| pointer.starts_with("/properties/1")), "{pointers:?}");
        bench
    })
    .await;
}

#[tokio::test]
async fn the_last_ten_versions_are_kept_and_listed_newest_first() {
    with_pod(|bench| async {
        for version in 2..=12 {
            assert_eq!(bench.publish(BOILER).await, version);
        }
        let mut client = bench.client();
        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let list = ListThingModelVersionsRequest {
                product_key: PRODUCT.into(),
                page_size: 4,
                page_token,
            };
            let page = client
                .list_thing_model_versions(caller().ask(list))
                .await
                .unwrap()
                .into_inner();
            seen.extend(page.items);
            match page.next_page_token {
                Some(token) => page_token = token,
                None => break,
            }
        }
        let numbers: Vec<_> = seen.iter().map(|version| version.version).collect();
        assert_eq!(numbers, (3..=12).rev().collect::<Vec<_>>());
        assert!(seen[0].current && !seen[1].current);
        let old = GetThingModelVersionRequest {
            product_key: PRODUCT.into(),
            version: 2,
        };
        let status = client
            .get_thing_model_version(caller().ask(old))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_basic_product_has_no_model() {
    with_pod(|bench| async {
        let get = GetThingModelRequest {
            product_key: BASIC.into(),
        };
        let status = bench
            .client()
            .get_thing_model(caller().ask(get))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        bench
    })
    .await;
}

#[tokio::test]
async fn events_are_listed_newest_first_filtered_and_paged_without_gaps() {
    with_pod(|bench| async {
        for time in 1..=7 {
            let payload =
                format!(r#"{{"id":"1","params":{{"value":{{"peak":{time}}},"time":{time}000}}}}"#);
            bench
                .says(&BOILER_1, "thing/event/OverPressure/post", &payload)
                .await;
        }
        bench.settled().await;
        let mut client = bench.client();
        let mut peaks = Vec::new();
        let mut page_token = String::new();
        loop {
            let list = ListEventsRequest {
                product_key: PRODUCT.into(),
                device_name: "boiler_01".into(),
                r#type: Some(event::Type::Alert.into()),
                from: Some(prost_types::Timestamp {
                    seconds: 2,
                    nanos: 0,
                }),
                to: Some(prost_types::Timestamp {
                    seconds: 7,
                    nanos: 0,
                }),
                page_size: 2,
                page_token,
                ..ListEventsRequest::default()
            };
            let page = client
                .list_events(caller().ask(list))
                .await
                .unwrap()
                .into_inner();
            peaks.extend(page.items.into_iter().map(|event| event.data));
            match page.next_page_token {
                Some(token) => page_token = token,
                None => break,
            }
        }
        assert_eq!(
            peaks,
            [6, 5, 4, 3, 2].map(|peak| format!(r#"{{"peak":{peak}}}"#))
        );
        bench
    })
    .await;
}

#[tokio::test]
async fn old_events_and_commands_are_forgotten() {
    let bench = Bench::empty().await;
    let pool = bench.house.pool().await;
    let now = bench.house.clock().now();
    let event = store::event::Event {
        message_id: alink::MessageId::at(now.timestamp_millis(), random()).uuid(),
        position: 0,
        device_id: 1,
        identifier: "OverPressure".into(),
        kind: thing_model::EventKind::Alert,
        data: "{}".into(),
        reported_at: now,
    };
    let mut connection = pool.acquire().await.unwrap();
    store::event::keep(&mut connection, &[event]).await.unwrap();
    crate::start(
        crate::Config::default(),
        bench.house.chassis(chassis::Noun::Thing),
    )
    .await
    .unwrap();
    assert_eq!(bench.events(&BOILER_1).await.len(), 1);
    bench
        .house
        .clock()
        .advance(Duration::from_secs(31 * 24 * 3600));
    testbench::wait_until("it is forgotten", || async {
        // A turn that has just begun reads the old time.
        bench.house.clock().advance(Duration::from_secs(600));
        bench.events(&BOILER_1).await.is_empty()
    })
    .await;
    bench.stop().await;
}

#[tokio::test]
async fn what_the_store_cannot_hold_is_the_askers_fault() {
    with_pod(|bench| async {
        type Change = fn(&mut ListEventsRequest);
        let ask = |change: Change| {
            let mut list = ListEventsRequest {
                product_key: PRODUCT.into(),
                device_name: "boiler_01".into(),
                ..ListEventsRequest::default()
            };
            change(&mut list);
            caller().ask(list)
        };
        let questions: [(Change, &str); 4] = [
            (|list| list.from = Some(ancient_time()), "/from"),
            (|list| list.to = Some(ancient_time()), "/to"),
            (|list| list.identifier = Some("a\0b".into()), "/identifier"),
            (
                |list| list.page_token = format!("8{}", "0".repeat(55)),
                "/pageToken",
            ),
        ];
        for (change, pointer) in questions {
            let status = bench.client().list_events(ask(change)).await.unwrap_err();
            let refusal = Refusal::from(status);
            assert_eq!(refusal.kind, Code::InvalidArgument, "{pointer}");
            assert_eq!(refusal.errors[0].pointer, pointer);
        }
        bench
    })
    .await;
}

/// Of the year -29719.
fn ancient_time() -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: -1_000_000_000_000,
        nanos: 0,
    }
}

#[tokio::test]
async fn a_page_of_large_events_ends_early_and_the_next_goes_on() {
    let bench = Bench::new().await;
    let pool = bench.house.pool().await;
    let mut connection = pool.acquire().await.unwrap();
    let now = bench.house.clock().now();
    let data = format!(r#"{{"text":"{}"}}"#, "x".repeat(250_000));
    let events: Vec<_> = (0..30)
        .map(|position| store::event::Event {
            message_id: uuid::Uuid::from_u128(7),
            position,
            device_id: 1,
            identifier: "OverPressure".into(),
            kind: thing_model::EventKind::Alert,
            data: data.clone(),
            reported_at: now,
        })
        .collect();
    store::event::keep(&mut connection, &events).await.unwrap();
    let (mut seen, mut page_token) = (0, String::new());
    loop {
        let list = ListEventsRequest {
            product_key: PRODUCT.into(),
            device_name: "boiler_01".into(),
            page_size: 500,
            page_token,
            ..ListEventsRequest::default()
        };
        // The client takes 4 MiB, as gRPC's clients do unless they are told.
        let page = bench.client().list_events(caller().ask(list)).await;
        let page = page.unwrap().into_inner();
        seen += page.items.len();
        match page.next_page_token {
            Some(token) => page_token = token,
            None => break,
        }
    }
    assert_eq!(seen, events.len());
    bench.stop().await;
}

#[tokio::test]
async fn a_history_report_is_checked_as_what_it_is() {
    with_pod(|bench| async {
        let table = [
            (r#"[{"identity":{"productKey":"a1B2c3D4e5F","deviceName":"boiler_01"},"properties":[{"pressure":{"value":5,"time":1}}]}]"#, 200),
            (r#"[{"identity":{"productKey":"a1B2c3D4e5F","deviceName":"boiler_01"},"properties":[{"pressure":{"value":99,"time":1}}]}]"#, 6307),
        ];
        for (params, code) in table {
            let check = CheckMessageRequest {
                product_key: PRODUCT.into(),
                method: "thing.event.property.history.post".into(),
                params: params.into(),
            };
            let verdict = bench.client().check_message(caller().ask(check)).await;
            assert_eq!(verdict.unwrap().into_inner().code, code, "{params}");
        }
        bench
    })
    .await;
}
