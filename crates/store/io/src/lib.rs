//! The store's seams: Clock, Rng and VolumeIo, each real and simulated.
