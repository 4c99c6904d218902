//! What a rule is.

use super::around::Around;
use super::pattern::{Middle, Token};
use super::{assigned, key_block, url, web_token};

/// One kind of secret: data, so that all kinds can be listed.
#[derive(Debug)]
pub struct Rule {
    /// Its name, stable: it stands in findings.
    pub id: &'static str,
    /// What it finds, in words.
    pub about: &'static str,
    /// Text that is in every secret of this kind or right before it, whatever the case.
    pub(super) anchors: &'static [&'static str],
    pub(super) form: Form,
}

/// How the surroundings of an anchor are judged.
#[derive(Debug)]
pub(super) enum Form {
    /// The anchor, in this case, and then parts of fixed make.
    Token(Token),
    /// The anchor, in this case, in the middle of a token.
    Middle(Middle),
    /// A JSON web token.
    WebToken,
    /// A private key in text.
    KeyBlock,
    /// A service account of Google Cloud with its key.
    ServiceAccount,
    /// User and password in a URL.
    UrlPassword { is_database: bool },
    /// User and password in base64.
    Basic,
    /// A shared access signature of Azure.
    SharedAccess,
    /// Something that is called a secret, and is given a value.
    Assigned(assigned::What),
}

impl Rule {
    /// Whether there is such a secret.
    pub(super) fn fits(&self, around: &Around<'_>) -> bool {
        match &self.form {
            Form::Token(token) => token.fits(self.anchors, around),
            Form::Middle(middle) => middle.fits(self.anchors, around),
            Form::WebToken => web_token::fits(around),
            Form::KeyBlock => key_block::fits(around) && !key_block::is_service_account(around),
            Form::ServiceAccount => {
                key_block::fits(around) && key_block::is_service_account(around)
            }
            Form::UrlPassword { is_database } => url::has_password(around, *is_database),
            Form::Basic => url::is_basic(around),
            Form::SharedAccess => url::is_shared_access(around),
            Form::Assigned(what) => assigned::fits(*what, around),
        }
    }

    /// Whether it only guesses by names: on a line with something better known it says nothing new.
    pub(super) const fn is_guess(&self) -> bool {
        matches!(
            self.form,
            Form::Assigned(assigned::What::Key | assigned::What::Password)
        )
    }
}
