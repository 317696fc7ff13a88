//! Deliveries through the public API, to receivers on loopback.

#[cfg(test)]
mod dispatching;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod real_services;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod receivers;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod tls;
