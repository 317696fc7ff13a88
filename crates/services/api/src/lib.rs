//! The AWS wire of the control plane: routes, operations, shapes, errors, quotas.
