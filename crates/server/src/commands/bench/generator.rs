//! Many cameras on one thread: opens their sessions, visits each when its frame is due, reads all
//! acks.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use streamkeep_client::put_media::{Acks, PutMediaOptions, TimecodeType};
use streamkeep_client::{Client, DataApi, Error, PutMedia};
use streamkeep_media::UnixMillis;
use tokio::sync::Barrier;
use tokio::task::{JoinSet, LocalSet};

use super::camera::{Camera, Shared};
use super::fragment_log::FragmentLog;
use super::measured::Measured;

/// One thread's part of a run.
#[derive(Clone)]
pub(super) struct Plan {
    /// One camera sends to each.
    pub(super) stream_names: Vec<String>,
    /// Where in the fragment period each camera starts, 0 to 1.
    pub(super) phases: Vec<f64>,
    pub(super) shared: Shared,
    pub(super) warm_up: Duration,
    /// How long to send, warm-up included.
    pub(super) send_for: Duration,
    /// All threads have opened their sessions.
    pub(super) ready: Arc<Barrier>,
    /// Where stamps in frames count from.
    pub(super) stamp_origin: Instant,
}

/// Runs the plan on this thread.
pub(super) async fn run(client: Client, plan: Plan) -> Measured {
    let measured = Rc::new(RefCell::new(Measured::default()));
    LocalSet::new().run_until(drive(client, plan, measured.clone())).await;
    measured.take()
}

async fn drive(client: Client, plan: Plan, measured: Rc<RefCell<Measured>>) {
    let sessions = open_sessions(&client, &plan, &measured).await;
    plan.ready.wait().await;
    let (start, start_millis) = (Instant::now(), UnixMillis::from_system_time(SystemTime::now()));
    let shared = Rc::new(plan.shared.clone());
    let fragment = shared.period * shared.profile.frames_per_fragment;
    let mut readers = JoinSet::new();
    let mut cameras: Vec<(Duration, Camera)> = Vec::new();
    for (index, session) in sessions {
        let (body, acks) = session.split();
        let phase = fragment.mul_f64(plan.phases[index]);
        let log = Rc::new(RefCell::new(FragmentLog::new(measured.clone(), start + plan.warm_up)));
        readers.spawn_local(read_acks(acks, log.clone(), measured.clone()));
        let timecode = start_millis.0 + phase.as_millis() as u64;
        let camera = Camera::new(
            body,
            shared.clone(),
            measured.clone(),
            log,
            (start + phase, timecode),
            start + plan.send_for,
            plan.stamp_origin,
        );
        let phase_in_period = Duration::from_nanos(
            (phase.as_nanos() % shared.period.as_nanos()) as u64, // below a second
        );
        cameras.push((phase_in_period, camera));
    }
    // All cameras have the same period, so the order of visits is the same in each round.
    cameras.sort_by_key(|(phase_in_period, _)| *phase_in_period);
    let give_up_at = start + plan.send_for + fragment + SETTLE_TIMEOUT;
    send(&mut cameras, start, give_up_at, shared.period).await;
    end(cameras, readers, give_up_at).await;
}

/// Visits cameras in the order their frames are due, until each has ended.
async fn send(
    cameras: &mut [(Duration, Camera)],
    start: Instant,
    give_up_at: Instant,
    period: Duration,
) {
    let (mut round, mut next) = (0u32, 0usize);
    let mut held_up: Vec<usize> = Vec::new();
    let mut sending = true;
    while sending && !cameras.is_empty() {
        let now = Instant::now();
        if now >= give_up_at {
            return;
        }
        held_up.retain(|&index| !cameras[index].1.send_due(now));
        let due = loop {
            let due = start + period * round + cameras[next].0;
            if due > now {
                break due;
            }
            if !held_up.contains(&next) && !cameras[next].1.send_due(now) {
                held_up.push(next);
            }
            next += 1;
            if next == cameras.len() {
                (round, next) = (round + 1, 0);
                sending =
                    !held_up.is_empty() || cameras.iter().any(|(_, camera)| !camera.has_ended());
            }
        };
        let wake = if held_up.is_empty() { due } else { due.min(now + RETRY_INTERVAL) };
        // Due times lie closer than the timer's millisecond: wake for several at once.
        tokio::time::sleep_until(wake.min(give_up_at).into()).await;
    }
}

/// Waits for the acks of the last fragments, ends the bodies.
async fn end(cameras: Vec<(Duration, Camera)>, mut readers: JoinSet<()>, give_up_at: Instant) {
    let cameras: Vec<Camera> = cameras.into_iter().map(|(_, camera)| camera).collect();
    let is_open = |camera: &Camera| {
        let log = camera.log.borrow();
        !log.is_settled() && !log.is_dead
    };
    while cameras.iter().any(is_open) && Instant::now() < give_up_at {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for camera in cameras {
        camera.log.borrow_mut().give_up();
        // From here on the end of the session is no failure.
        camera.log.borrow_mut().is_dead = true;
        let _already_counted = tokio::time::timeout(CLOSE_TIMEOUT, camera.finish()).await;
    }
    let all = async { while readers.join_next().await.is_some() {} };
    let _rest_is_aborted = tokio::time::timeout(CLOSE_TIMEOUT, all).await;
}

async fn open_sessions(
    client: &Client,
    plan: &Plan,
    measured: &Rc<RefCell<Measured>>,
) -> Vec<(usize, PutMedia)> {
    let mut opening = JoinSet::new();
    let mut sessions = Vec::new();
    let mut keep = |opened: (usize, Result<PutMedia, Error>)| match opened {
        (index, Ok(session)) => {
            measured.borrow_mut().sessions += 1;
            sessions.push((index, session));
        }
        (_, Err(error)) => {
            *measured.borrow_mut().refused.entry(error.to_string()).or_default() += 1;
        }
    };
    for (index, name) in plan.stream_names.iter().enumerate() {
        if opening.len() == OPENING_AT_ONCE
            && let Some(Ok(opened)) = opening.join_next().await
        {
            keep(opened);
        }
        let (client, name) = (client.clone(), name.clone());
        opening.spawn_local(async move { (index, open_session(&client, name).await) });
    }
    while let Some(Ok(opened)) = opening.join_next().await {
        keep(opened);
    }
    sessions
}

async fn open_session(client: &Client, stream_name: String) -> Result<PutMedia, Error> {
    let endpoint = client.data_endpoint(&stream_name, DataApi::PutMedia).await?;
    let options = PutMediaOptions {
        stream_name,
        timecode_type: TimecodeType::Absolute,
        producer_start: UnixMillis::from_system_time(SystemTime::now()),
    };
    PutMedia::open_at(client, &endpoint, &options).await
}

async fn read_acks(mut acks: Acks, log: Rc<RefCell<FragmentLog>>, measured: Rc<RefCell<Measured>>) {
    let reason = loop {
        match acks.next().await {
            Ok(Some(ack)) => log.borrow_mut().ack(&ack, Instant::now()),
            Ok(None) => break "ended by the service".to_owned(),
            Err(error) => break error.to_string(),
        }
    };
    let mut log = log.borrow_mut();
    if !log.is_dead {
        log.is_dead = true;
        *measured.borrow_mut().broken.entry(reason).or_default() += 1;
    }
}

const OPENING_AT_ONCE: usize = 16;
/// Between two attempts at a connection that takes no more.
const RETRY_INTERVAL: Duration = Duration::from_millis(2);
/// For the last PERSISTED acks.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
