//! AWS Signature Version 4: verification of header and query forms, and signing for clients.
