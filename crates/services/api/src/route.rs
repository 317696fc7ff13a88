//! From method and path to what answers.

use http::Method;

use crate::Operation;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// An operation of the KVS API.
    Operation(Operation),
    /// `GET /healthz`: the process lives.
    Health,
    /// `GET /readyz`: it can serve.
    Ready,
    /// `GET /metrics`.
    Metrics,
    /// The path exists, the method does not fit:
    /// [`method_not_allowed`](crate::method_not_allowed).
    MethodNotAllowed {
        /// The method that does.
        allow: &'static Method,
    },
    /// No such path: [`ApiError::unrouted`](crate::ApiError::unrouted), or another part of the
    /// server.
    NotFound,
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// A SigV4 signature for service `kinesisvideo`, in the header or the query.
    SigV4,
    /// Decided by the server's configuration for `/metrics`.
    Metrics,
    /// Open to anyone who can connect; the answer holds nothing but a status.
    None,
}

impl Route {
    /// What must be proven before the route is answered.
    pub fn authentication(self) -> Authentication {
        match self {
            Self::Operation(_) => Authentication::SigV4,
            Self::Metrics => Authentication::Metrics,
            Self::Health | Self::Ready | Self::MethodNotAllowed { .. } | Self::NotFound => {
                Authentication::None
            }
        }
    }
}

/// Finds what `path` (without the query) is for. Paths match in any case: no two of the API differ
/// by case alone, and three of them begin with a capital where the others do not
/// (control-plane.md §4). HEAD counts as GET.
pub fn route(method: &Method, path: &str) -> Route {
    let (found, allow) = match path {
        "/healthz" => (Route::Health, &Method::GET),
        "/readyz" => (Route::Ready, &Method::GET),
        "/metrics" => (Route::Metrics, &Method::GET),
        _ => match Operation::all().find(|o| o.path().eq_ignore_ascii_case(path)) {
            Some(operation) => (Route::Operation(operation), &Method::POST),
            None => return Route::NotFound,
        },
    };
    if method == allow || (method == Method::HEAD && allow == Method::GET) {
        found
    } else {
        Route::MethodNotAllowed { allow }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_but_the_probes_demands_proof() {
        let mut paths: Vec<(&Method, &str, Authentication)> =
            Operation::all().map(|o| (&Method::POST, o.path(), Authentication::SigV4)).collect();
        assert_eq!(paths.len(), 44);
        paths.extend([
            (&Method::GET, "/healthz", Authentication::None),
            (&Method::GET, "/readyz", Authentication::None),
            (&Method::GET, "/metrics", Authentication::Metrics),
        ]);
        for (method, path, wanted) in paths {
            let found = route(method, path);
            assert!(!matches!(found, Route::NotFound | Route::MethodNotAllowed { .. }), "{path}");
            assert_eq!(found.authentication(), wanted, "{path}");
        }
    }

    #[test]
    fn paths_in_any_case() {
        for operation in Operation::all() {
            let path = operation.path();
            let lower = path.to_ascii_lowercase();
            for path in [path, &lower, &path.to_ascii_uppercase()] {
                assert_eq!(route(&Method::POST, path), Route::Operation(operation), "{path}");
            }
        }
    }

    #[test]
    fn other_methods_and_paths() {
        let cases = [
            (Method::GET, "/createStream", Route::MethodNotAllowed { allow: &Method::POST }),
            (Method::PUT, "/putMedia", Route::MethodNotAllowed { allow: &Method::POST }),
            (Method::POST, "/healthz", Route::MethodNotAllowed { allow: &Method::GET }),
            (Method::HEAD, "/readyz", Route::Ready),
            (Method::POST, "/", Route::NotFound),
            (Method::POST, "", Route::NotFound),
            (Method::POST, "/createStream/", Route::NotFound),
            (Method::POST, "//createStream", Route::NotFound),
            (Method::POST, "/listfragment\u{17f}", Route::NotFound), // ſ, whose capital is S
            (Method::GET, "/HEALTHZ", Route::NotFound),
        ];
        for (method, path, wanted) in cases {
            assert_eq!(route(&method, path), wanted, "{method} {path}");
        }
    }
}
