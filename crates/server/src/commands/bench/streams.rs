//! Streams for a load run: made before it, deleted after it.

use std::sync::Arc;

use serde_json::json;
use streamkeep_client::{Client, Error};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Creates the streams that are not there yet; gives the names of those it created.
pub(super) async fn create(
    client: &Client,
    names: &[String],
    retention_hours: u32,
) -> Result<Vec<String>, Error> {
    let results = for_each(names, |name| {
        let client = client.clone();
        async move {
            let input = json!({ "StreamName": name, "DataRetentionInHours": retention_hours });
            match client.call("/createStream", &input).await {
                Ok(_) => Ok(Some(name)),
                Err(error) if error.has_code("ResourceInUseException") => Ok(None),
                Err(error) => Err(error),
            }
        }
    })
    .await;
    results.into_iter().filter_map(Result::transpose).collect()
}

/// Deletes streams; those that cannot be are counted.
pub(super) async fn delete(client: &Client, names: &[String]) -> usize {
    let results = for_each(names, |name| {
        let client = client.clone();
        async move {
            let described = client.call("/describeStream", &json!({ "StreamName": name })).await?;
            let arn = &described["StreamInfo"]["StreamARN"];
            client.call("/deleteStream", &json!({ "StreamARN": arn })).await
        }
    })
    .await;
    results.iter().filter(|result| result.is_err()).count()
}

/// Runs `action` for every name, some at a time; the results come in any order.
async fn for_each<T, Fut>(names: &[String], action: impl Fn(String) -> Fut) -> Vec<T>
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for name in names {
        let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let future = action(name.clone());
        tasks.spawn(async move {
            let result = future.await;
            drop(permit);
            result
        });
    }
    tasks.join_all().await
}

const AT_ONCE: usize = 8;
