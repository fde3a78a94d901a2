//! The platform's REST door: what a load needs made, and what it asks afterwards.

use std::time::Duration;

use alink::Device;
use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::command_line::Target;

/// The most that one request makes.
const BATCH: usize = 10_000;

pub(crate) struct House {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// A device and its key.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) device: Device,
    pub(crate) secret: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MadeItem {
    device_name: String,
    device_secret: String,
}

impl House {
    pub(crate) fn new(target: &Target) -> anyhow::Result<Self> {
        let api = target.api.as_ref().context("a broker has no REST door")?;
        Ok(Self {
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(60))
                .build()?,
            base: format!("{}/api/v1", api.url.trim_end_matches('/')),
            token: api.token.clone(),
        })
    }

    /// A PRO product, without a model; answers with its key.
    pub(crate) async fn make_product(&self) -> anyhow::Result<String> {
        let product = json!({"name": "Load", "nodeType": "DEVICE", "dataFormat": "ALINK_JSON", "edition": "PRO"});
        let made = self
            .send(
                self.http.post(self.url("/products")),
                Some(product.to_string()),
            )
            .await?;
        let key = made["productKey"]
            .as_str()
            .context("a product without a key")?;
        Ok(key.to_owned())
    }

    /// Publishes the load's model.
    pub(crate) async fn give_model(&self, key: &str) -> anyhow::Result<()> {
        let model = include_str!("model.json").to_owned();
        self.send(
            self.http.put(self.url(&format!("/products/{key}/tsl"))),
            Some(model),
        )
        .await?;
        self.send(
            self.http
                .post(self.url(&format!("/products/{key}/tsl/publish"))),
            None,
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn make_devices(
        &self,
        product_key: &str,
        count: usize,
    ) -> anyhow::Result<Vec<Made>> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let batch = json!({"count": BATCH.min(count - all.len())});
            let url = self.url(&format!("/products/{product_key}/device-batches"));
            let mut made = self
                .send(self.http.post(url), Some(batch.to_string()))
                .await?;
            for item in Vec::<MadeItem>::deserialize(made["items"].take())? {
                all.push(Made {
                    device: Device::parse(product_key, &item.device_name)?,
                    secret: item.device_secret,
                });
            }
        }
        Ok(all)
    }

    /// A device's log lines of one type that succeeded, counted over all pages.
    pub(crate) async fn count_lines(&self, device: &Device, kind: &str) -> anyhow::Result<usize> {
        let url = self.url(&format!("/products/{}/logs", device.product_key));
        let mut count = 0;
        let mut page_token = String::new();
        loop {
            let query = [
                ("type", kind),
                ("status", "SUCCESS"),
                ("deviceName", device.device_name.as_str()),
                ("pageSize", "500"),
                ("pageToken", &page_token),
            ];
            let asked = if page_token.is_empty() {
                &query[..4]
            } else {
                &query[..]
            };
            let url = reqwest::Url::parse_with_params(&url, asked)?;
            let page = self.send(self.http.get(url), None).await?;
            count += page["items"].as_array().map_or(0, Vec::len);
            match page["nextPageToken"].as_str() {
                Some(next) => page_token = next.to_owned(),
                None => return Ok(count),
            }
        }
    }

    /// Sets the label; answers when the device has.
    pub(crate) async fn set_label(&self, device: &Device, label: &str) -> anyhow::Result<()> {
        let url = self.url(&format!(
            "/products/{}/devices/{}/properties",
            device.product_key, device.device_name
        ));
        let body = json!({"params": {"label": label}, "waitSeconds": 30});
        let answer = self
            .send(self.http.post(url), Some(body.to_string()))
            .await?;
        ensure!(answer["code"] == 200, "the set was not taken: {answer}");
        Ok(())
    }

    /// A call that asks for next to nothing.
    pub(crate) async fn account(&self) -> anyhow::Result<()> {
        self.send(self.http.get(self.url("/account")), None)
            .await
            .map(|_| ())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        body: Option<String>,
    ) -> anyhow::Result<Value> {
        let mut request = request.bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        let response = request.send().await?;
        let (url, status) = (response.url().clone(), response.status());
        let text = response.text().await?;
        ensure!(status.is_success(), "{url} answered {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }
}
