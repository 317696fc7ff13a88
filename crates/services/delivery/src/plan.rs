//! From a persisted fragment to what is to be delivered. Pure but for the GUIDs it draws.

use streamkeep_io::Rng;
use streamkeep_media::{FragmentNumber, StreamId, Tag, TagGroup, UnixMillis};

use crate::tags::{Events, ImageEvent};
use crate::{
    Guid, ImageGeneration, ImageTrigger, ImageWork, Intent, NotificationWork, ObjectKey,
    StreamDelivery, TimestampSelector, Work, image_times, metadata,
};

/// What is to be known of a persisted fragment; all of it stands in its row.
#[derive(Clone, Copy, Debug)]
pub struct PersistedFragment<'a> {
    /// The stream.
    pub stream_id: StreamId,
    /// Its name.
    pub stream_name: &'a str,
    /// Its ARN.
    pub stream_arn: &'a str,
    /// The account that owns it.
    pub account_id: &'a str,
    /// The fragment.
    pub number: FragmentNumber,
    /// Of its start.
    pub producer_timestamp: UnixMillis,
    /// Of its start.
    pub server_timestamp: UnixMillis,
    /// From its start to its end.
    pub duration_ms: u32,
    /// The producer's tags.
    pub tags: &'a [TagGroup],
}

/// What a fragment gives rise to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// For the outbox.
    pub intents: Vec<Intent>,
    /// The instant of the stream's last image, for the next fragment.
    pub last_image: Option<UnixMillis>,
}

impl Plan {
    /// Decides what `fragment` gives rise to. `last_image` is that of the plan before.
    pub fn of(
        fragment: &PersistedFragment<'_>,
        settings: &StreamDelivery,
        last_image: Option<UnixMillis>,
        rng: &dyn Rng,
    ) -> Self {
        let events = Events::find(fragment.tags);
        let mut plan = Self { intents: Vec::new(), last_image };
        if let Some(images) = &settings.images {
            plan.add_images(fragment, images, events.image_generation.as_ref(), rng);
        }
        if let (Some(destination), Some(event)) = (&settings.notification, &events.notification) {
            let pair = |tag: &Tag| (tag.name.clone(), tag.value.clone());
            plan.intents.push(fragment.intent(Work::Notification(NotificationWork {
                destination: destination.clone(),
                delivery_id: Guid::draw(rng).to_string(),
                payload: event.custom.iter().map(pair).collect(),
            })));
        }
        plan
    }

    fn add_images(
        &mut self,
        fragment: &PersistedFragment<'_>,
        images: &ImageGeneration,
        event: Option<&ImageEvent>,
        rng: &dyn Rng,
    ) {
        let start = match images.selector {
            TimestampSelector::Server => fragment.server_timestamp,
            TimestampSelector::Producer => fragment.producer_timestamp,
        };
        let times = |previous| {
            image_times(start, fragment.duration_ms, images.sampling_interval_ms, previous)
        };
        let times = match (event, images.trigger) {
            (Some(_), _) => times(None),
            (None, ImageTrigger::Always) => times(self.last_image),
            (None, ImageTrigger::Tagged) => return,
        };
        self.last_image = times.last().copied().or(self.last_image);
        let custom = event.map_or(&[][..], |event| event.custom.as_slice());
        let metadata = metadata(
            fragment.number,
            fragment.producer_timestamp,
            fragment.server_timestamp,
            custom,
        );
        self.intents.extend(times.into_iter().map(|instant| {
            let key = ObjectKey {
                destination_prefix: &images.destination.prefix,
                image_prefix: event.and_then(|event| event.prefix.as_deref()),
                account_id: fragment.account_id,
                stream_name: fragment.stream_name,
                image_timecode: instant,
                guid: Guid::draw(rng),
                format: images.format,
            };
            fragment.intent(Work::Image(ImageWork {
                instant,
                selector: images.selector,
                format: images.format,
                width_pixels: images.width_pixels,
                height_pixels: images.height_pixels,
                bucket: images.destination.bucket.clone(),
                region: images.destination.region.clone(),
                key: key.encode(),
                metadata: metadata.clone(),
            }))
        }));
    }
}

impl PersistedFragment<'_> {
    fn intent(&self, work: Work) -> Intent {
        Intent {
            stream_id: self.stream_id,
            stream_name: self.stream_name.into(),
            stream_arn: self.stream_arn.into(),
            fragment_number: self.number,
            producer_timestamp: self.producer_timestamp,
            server_timestamp: self.server_timestamp,
            work,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{CountingRng, image_generation, topic};
    use crate::tags::{IMAGE_GENERATION, IMAGE_PREFIX, NOTIFICATION};

    const SERVER: u64 = 1_690_707_290_501;
    const PRODUCER: u64 = 1_690_707_290_324;

    fn plan(tags: &[&[(&str, &str)]], settings: &StreamDelivery, last_image: Option<u64>) -> Plan {
        let tag =
            |(name, value): &(&str, &str)| Tag { name: (*name).into(), value: (*value).into() };
        let groups: Vec<TagGroup> =
            tags.iter().map(|g| TagGroup { tags: g.iter().map(tag).collect() }).collect();
        let fragment = PersistedFragment {
            stream_id: StreamId([7; 16]),
            stream_name: "demo",
            stream_arn: "arn:aws:kinesisvideo:us-west-2:111122223333:stream/demo/1690000000000",
            account_id: "111122223333",
            number: FragmentNumber::new(UnixMillis(SERVER), 1, 1),
            producer_timestamp: UnixMillis(PRODUCER),
            server_timestamp: UnixMillis(SERVER),
            duration_ms: 2000,
            tags: &groups,
        };
        Plan::of(&fragment, settings, last_image.map(UnixMillis), &CountingRng::starting_at(0))
    }

    fn images(plan: &Plan) -> Vec<&ImageWork> {
        plan.intents
            .iter()
            .filter_map(|intent| match &intent.work {
                Work::Image(image) => Some(image),
                Work::Notification(_) => None,
            })
            .collect()
    }

    #[test]
    fn tagged() {
        let settings = StreamDelivery {
            images: Some(image_generation("s3://b/cams/")),
            notification: Some(topic()),
        };
        assert_eq!(plan(&[], &settings, None), Plan::default());
        let both: &[&[(&str, &str)]] = &[&[
            (IMAGE_GENERATION, ""),
            (IMAGE_PREFIX, "gate"),
            (NOTIFICATION, ""),
            ("zone", "north"),
        ]];
        let plan_ = plan(both, &settings, None);
        assert_eq!(plan_.intents.len(), 3);
        let images = images(&plan_);
        assert_eq!(images.len(), 2, "2 s in steps of 1 s");
        assert_eq!(images[1].instant, UnixMillis(PRODUCER + 1000));
        assert!(images[0].key.starts_with("cams/gate_111122223333_demo_1690707290324_"));
        assert!(images[1].key.starts_with("cams/gate_111122223333_demo_1690707291324_"));
        assert_ne!(images[0].key, images[1].key);
        assert_eq!(images[0].metadata[3], ("zone".into(), "north".into()));
        let Work::Notification(notification) = &plan_.intents[2].work else { panic!("{plan_:?}") };
        assert_eq!(notification.payload, [("zone".into(), "north".into())]);
        // What is not enabled is not made.
        assert_eq!(plan(both, &StreamDelivery::default(), None), Plan::default());
    }

    #[test]
    fn always() {
        let mut generation = image_generation("s3://b");
        generation.trigger = ImageTrigger::Always;
        generation.sampling_interval_ms = 5000;
        let settings = StreamDelivery { images: Some(generation), notification: Some(topic()) };
        let first = plan(&[], &settings, None);
        assert_eq!(images(&first).len(), 1);
        assert_eq!(first.last_image, Some(UnixMillis(PRODUCER)));
        assert!(images(&first)[0].key.starts_with("111122223333_demo_"));
        let none = plan(&[], &settings, Some(PRODUCER - 1000));
        assert_eq!(none, Plan { intents: vec![], last_image: Some(UnixMillis(PRODUCER - 1000)) });
        // A tag does not wait for the interval.
        let tagged = plan(&[&[(IMAGE_GENERATION, "")]], &settings, Some(PRODUCER - 1000));
        assert_eq!(images(&tagged).len(), 1);
    }

    #[test]
    fn on_the_servers_clock() {
        let mut generation = image_generation("s3://b");
        generation.selector = TimestampSelector::Server;
        let settings = StreamDelivery { images: Some(generation), notification: None };
        let plan = plan(&[&[(IMAGE_GENERATION, "")]], &settings, None);
        assert_eq!(images(&plan)[0].instant, UnixMillis(SERVER));
    }
}
