use super::*;

#[test]
fn bundles() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    let both = [Authorities::Only(&path), Authorities::SystemAnd(&path)];
    for authorities in both {
        let error = connector(authorities).err().unwrap();
        assert_eq!(error.path, path);
        assert!(error.to_string().ends_with("No such file or directory (os error 2)"), "{error}");
    }
    std::fs::write(&path, "no certificate").unwrap();
    for authorities in both {
        assert_eq!(connector(authorities).err().unwrap().why, "no certificate in it");
    }
    let certified = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
    std::fs::write(&path, certified.cert.pem()).unwrap();
    for authorities in both {
        assert!(connector(authorities).is_ok());
    }
}
