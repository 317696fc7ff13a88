//! Verification and signing through the public API.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod request;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod vectors;
