//! How the views over CPython's structs are written.
//!
//! A view is a pointer with names for fields. Making one is `unsafe` and carries the whole obligation: the struct is
//! alive and the GIL is held whenever the view or a copy of it is used. Accessors are then safe to call.

/// Defines a view type with its accessors: `name, set_name: Type = offset;`.
macro_rules! view {
    ($(#[$doc:meta])* $view:ident of $raw:literal { $($(#[$field_doc:meta])* $get:ident, $set:ident: $ty:ty = $offset:expr;)* }) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $view(*mut u8);

        // The contract of `new` covers every later use of the pointer.
        #[allow(clippy::not_unsafe_ptr_arg_deref)]
        impl $view {
            #[doc = concat!("A view of a `", $raw, "`.")]
            ///
            /// # Safety
            #[doc = concat!("`pointer` is a `", $raw, "` that is alive, with the GIL held, at every use of the view and of its copies.")]
            #[inline(always)]
            pub unsafe fn new<T>(pointer: *mut T) -> Self {
                Self(pointer.cast())
            }

            /// The pointer itself.
            #[inline(always)]
            pub fn as_ptr<T>(self) -> *mut T {
                self.0.cast()
            }

            $(
                $(#[$field_doc])*
                #[inline(always)]
                pub fn $get(self) -> $ty {
                    // SAFETY: the view's contract says the struct is alive; the offset and type are the header's.
                    unsafe { self.0.add($offset).cast::<$ty>().read() }
                }

                #[doc = concat!("Stores `", stringify!($get), "`; no reference count is touched.")]
                #[inline(always)]
                pub fn $set(self, value: $ty) {
                    // SAFETY: as for the getter.
                    unsafe { self.0.add($offset).cast::<$ty>().write(value) }
                }
            )*
        }
    };
}
