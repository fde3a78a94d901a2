//! What somebody may do. Each role may all that the one before it may.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// Reads.
    Viewer = 1,
    /// Also changes everything but users, tokens and the audit trail's settings.
    Operator = 2,
    /// Everything.
    Admin = 3,
}

impl Role {
    /// By its number, the same in the store and in protobuf.
    pub(crate) fn from_number(number: i32) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.number() == number)
    }

    pub(crate) fn number(self) -> i32 {
        self as i32
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "VIEWER",
            Self::Operator => "OPERATOR",
            Self::Admin => "ADMIN",
        }
    }
}
