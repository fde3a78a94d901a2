//! Pages that fit together while the log grows.

use proto::hoshu::devicelog::v1::ListLogsRequest;

use crate::house::{LogHouse, all, down, entry, id, tsl, up};
use bus::log::Line as _;

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_lines_arrive() {
    let log = LogHouse::new().await;
    let message = |n: i64| {
        let ms = log.now - n * 10;
        entry(
            id(ms, n as u8),
            1,
            "pump-1",
            vec![up(ms, "/x"), tsl(ms, 200), down(ms)],
        )
    };
    // Every other moment is taken; the ones between arrive while the pages are read.
    let first: Vec<_> = (0..20).map(|n| message(n * 2)).collect();
    log.keep(&first).await;
    let there: Vec<_> = log
        .list(all())
        .await
        .into_iter()
        .map(|line| line.id)
        .collect();
    assert_eq!(there.len(), 60);

    let mut shown = Vec::new();
    let mut request = ListLogsRequest {
        page_size: 7,
        ..all()
    };
    for n in 0.. {
        let page = log.ask(request.clone()).await.unwrap();
        assert!(page.items.len() == 7 || page.next_page_token.is_none());
        shown.extend(page.items.into_iter().map(|line| line.id));
        let Some(token) = page.next_page_token else {
            break;
        };
        request.page_token = token;
        log.keep(&[message(n * 2 + 1), message(39 - n * 2)]).await;
    }

    let mut unique = shown.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), shown.len(), "a line was repeated");
    let mut there_of_shown = shown.clone();
    there_of_shown.retain(|id| there.contains(id));
    assert_eq!(there_of_shown, there, "a line was skipped, or out of order");
    log.house.stop().await;
}

#[tokio::test]
async fn a_page_of_large_lines_ends_early_and_the_next_goes_on() {
    let log = LogHouse::new().await;
    let detail = format!(r#"{{"params":"{}"}}"#, "x".repeat(256 * 1024));
    let entries: Vec<_> = (0..30)
        .map(|n| {
            let ms = log.now - n;
            let large = tsl(ms, 200).with_detail(detail.clone());
            entry(id(ms, 1), 1, "pump-1", vec![up(ms, "/x"), large])
        })
        .collect();
    log.keep(&entries).await;
    // The client takes 4 MiB, as gRPC's clients do unless they are told.
    let request = ListLogsRequest {
        page_size: 500,
        ..all()
    };
    let lines = log.list(request).await;
    let mut ids: Vec<_> = lines.iter().map(|line| &line.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((lines.len(), ids.len()), (60, 60));
    log.house.stop().await;
}
