//! What the socket and the application have to know of each other. actix tells neither of them.
//!
//! A connection lives on one thread, and its requests are served one after the other.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use actix_web::HttpRequest;
use tokio::sync::Notify;

/// One connection, shared by its socket and the requests that come over it.
#[derive(Clone, Default)]
pub(crate) struct Connection(Rc<Ledger>);

#[derive(Default)]
struct Ledger {
    /// Requests that have reached the application.
    arrivals: Cell<u64>,
    in_flight: Cell<usize>,
    /// Whether the body of the last request was not read to its end.
    body_open: Cell<bool>,
    /// Whether the last answer was the last one over this connection.
    closing: Cell<bool>,
    /// For each answer of the application that has not been written yet: whether it is one to HEAD.
    answers: RefCell<VecDeque<bool>>,
    closed_by_caller: Cell<bool>,
    caller_closing: Notify,
}

/// The request is in the application for as long as this lives.
pub(crate) struct InFlight(Connection);

impl Drop for InFlight {
    fn drop(&mut self) {
        let ledger = &self.0.0;
        ledger.in_flight.set(ledger.in_flight.get().saturating_sub(1));
    }
}

impl Connection {
    /// The connection a request came over; a fresh one when it came over none, as in tests.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.conn_data::<Connection>().cloned().unwrap_or_default()
    }

    /// A request has reached the application.
    pub(crate) fn begin(&self, has_body: bool) -> InFlight {
        self.0.arrivals.set(self.0.arrivals.get() + 1);
        self.0.in_flight.set(self.0.in_flight.get() + 1);
        self.0.body_open.set(has_body);
        InFlight(self.clone())
    }

    /// The body of the request was read to its end.
    pub(crate) fn body_is_read(&self) {
        self.0.body_open.set(false);
    }

    /// The application has answered, and `closing` is whether it wants no further request.
    pub(crate) fn answered(&self, to_head: bool, closing: bool) {
        self.0.answers.borrow_mut().push_back(to_head);
        self.0.closing.set(closing);
    }

    /// Resolves some time after the caller has closed its side, and never when it does not. The time is for
    /// those who close one half after sending and still listen.
    pub(crate) async fn gone(&self, grace: Duration) {
        while !self.0.closed_by_caller.get() {
            self.0.caller_closing.notified().await;
        }
        tokio::time::sleep(grace).await;
    }

    pub(crate) fn arrivals(&self) -> u64 {
        self.0.arrivals.get()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.0.in_flight.get() == 0
    }

    /// Whether it was answered for the last time.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_idle() && self.0.closing.get()
    }

    pub(crate) fn has_open_body(&self) -> bool {
        self.0.body_open.get()
    }

    /// Whether the next answer to be written is one to HEAD, and has no body whatever its head says.
    pub(crate) fn next_is_to_head(&self) -> bool {
        self.0.answers.borrow_mut().pop_front().unwrap_or(false)
    }

    pub(crate) fn caller_closed(&self) {
        self.0.closed_by_caller.set(true);
        self.0.caller_closing.notify_waiters();
    }
}
