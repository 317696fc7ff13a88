//! Who asks, and whether they may: the one authorisation point.

use std::collections::BTreeMap;
use std::net::IpAddr;

use streamkeep_media::UnixMillis;

use crate::{ApiError, Operation};

/// Who signed a request. Made by the server after the signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its ARN: `arn:aws:iam::000000000000:root` for the account itself.
    pub arn: String,
    /// The account it belongs to, 12 digits.
    pub account: String,
    /// The access key it signed with. Not a secret.
    pub access_key_id: String,
    /// It is the account itself.
    pub is_root: bool,
}

/// What a policy may ask about a request besides principal, action and resource (auth.md §3).
#[derive(Clone, Copy, Debug)]
pub struct AccessContext<'a> {
    /// `aws:CurrentTime`.
    pub now: UnixMillis,
    /// `aws:SourceIp`.
    pub source_ip: Option<IpAddr>,
    /// `aws:SecureTransport`.
    pub secure_transport: bool,
    /// `aws:ResourceTag/…`; `None` when the resource does not exist.
    pub resource_tags: Option<&'a BTreeMap<String, String>>,
    /// `aws:RequestTag/…`: tags to be set.
    pub request_tags: &'a BTreeMap<String, String>,
    /// `aws:TagKeys`: keys to be set or removed.
    pub tag_keys: &'a [&'a str],
}

/// The answer of an [`Authorizer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// [`denied`].
    Deny,
}

/// Decides whether a principal may do something.
pub trait Authorizer: Send + Sync {
    /// `action` is an IAM action such as `kinesisvideo:PutMedia`. `resource` is an ARN; one that
    /// ends in `/*` stands for a stream whose creation time is not known, and `*` for an operation
    /// without a resource.
    fn authorize(
        &self,
        principal: &Principal,
        action: &str,
        resource: &str,
        context: &AccessContext<'_>,
    ) -> Decision;
}

/// Lets the account itself do everything, and nobody else anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct RootOnly;

impl Authorizer for RootOnly {
    fn authorize(
        &self,
        principal: &Principal,
        _: &str,
        _: &str,
        _: &AccessContext<'_>,
    ) -> Decision {
        if principal.is_root { Decision::Allow } else { Decision::Deny }
    }
}

/// The refusal of a caller who lacks the permission, in the form that `operation` models.
pub fn denied(operation: Operation, principal: &Principal, resource: &str) -> ApiError {
    denied_action(operation, principal, &operation.iam_action(), resource)
}

/// [`denied`] for an action that is not the operation's own: CreateStream with tags needs
/// TagStream too.
pub(crate) fn denied_action(
    operation: Operation,
    principal: &Principal,
    action: &str,
    resource: &str,
) -> ApiError {
    ApiError::new(
        operation.denial(),
        format!(
            "User: {} is not authorized to perform: {action} on resource: {resource}",
            principal.arn
        ),
    )
}
