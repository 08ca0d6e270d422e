//! Reading DER field by field. The crate `der` reads tag and length, and refuses what is not DER; here is only which field comes next.

use super::Refused;
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

/// The fields of one constructed value, from the first on.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// What is being read, for messages.
    what: &'static str,
}

impl<'a> Fields<'a> {
    /// Of bytes that are one value of this tag and nothing else.
    pub(super) fn of(bytes: &'a [u8], tag: Tag, what: &'static str) -> Result<Self, Refused> {
        let mut whole = Self { rest: bytes, what };
        let value = whole.take(tag)?;
        whole.end()?;
        Ok(Self::inside(value, what))
    }
    /// Of a value that was read already.
    pub(super) fn inside(value: AnyRef<'a>, what: &'static str) -> Self {
        Self { rest: value.value(), what }
    }
    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }
    /// The next field whole, tag and length included.
    pub(super) fn raw(&mut self) -> Result<&'a [u8], Refused> {
        let bytes = SliceReader::new(self.rest).and_then(|mut reader| reader.tlv_bytes()).map_err(|_| self.malformed())?;
        self.rest = self.rest.get(bytes.len()..).unwrap_or_default();
        Ok(bytes)
    }
    /// The next field, which must have this tag.
    pub(super) fn take(&mut self, tag: Tag) -> Result<AnyRef<'a>, Refused> {
        self.take_if(tag)?.ok_or_else(|| self.malformed())
    }
    /// The next field if it has this tag.
    pub(super) fn take_if(&mut self, tag: Tag) -> Result<Option<AnyRef<'a>>, Refused> {
        if self.is_done() {
            return Ok(None);
        }
        let before = self.rest;
        let value = AnyRef::from_der(self.raw()?).map_err(|_| self.malformed())?;
        if value.tag() == tag {
            return Ok(Some(value));
        }
        self.rest = before;
        Ok(None)
    }
    pub(super) fn sequence(&mut self) -> Result<Self, Refused> {
        let value = self.take(Tag::Sequence)?;
        Ok(Self::inside(value, self.what))
    }
    /// The next field if it is `[number]`, constructed.
    pub(super) fn tagged(&mut self, number: u32) -> Result<Option<Self>, Refused> {
        let value = self.take_if(context(number, true))?;
        Ok(value.map(|value| Self::inside(value, self.what)))
    }
    pub(super) fn oid(&mut self) -> Result<ObjectIdentifier, Refused> {
        self.take(Tag::ObjectIdentifier)?.decode_as().map_err(|_| self.malformed())
    }
    /// A small number, such as a version.
    pub(super) fn small(&mut self) -> Result<u64, Refused> {
        self.take(Tag::Integer)?.decode_as().map_err(|_| self.malformed())
    }
    pub(super) fn octets(&mut self) -> Result<&'a [u8], Refused> {
        Ok(self.take(Tag::OctetString)?.value())
    }
    /// An algorithm's name. Its parameters must be absent or NULL: those of the algorithms used here say nothing.
    pub(super) fn algorithm(&mut self) -> Result<ObjectIdentifier, Refused> {
        let mut fields = self.sequence()?;
        let oid = fields.oid()?;
        if let Some(null) = fields.take_if(Tag::Null)?
            && !null.value().is_empty()
        {
            return Err(self.malformed());
        }
        fields.end()?;
        Ok(oid)
    }
    /// That nothing follows.
    pub(super) fn end(self) -> Result<(), Refused> {
        if self.is_done() { Ok(()) } else { Err(self.malformed()) }
    }
    pub(super) fn malformed(&self) -> Refused {
        Refused::new(format!("the {} is malformed", self.what))
    }
}

/// The tag `[number]`.
pub(super) fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}
