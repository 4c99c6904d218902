//! The server: the Model Context Protocol on standard input and output, as `rmcp` speaks it.

use std::sync::Arc;

use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    Tool as Definition, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};
use tokio::sync::Semaphore;

use crate::answer::Found;
use crate::error::{CallError, head};
use crate::limits::{CALLS, NAME_OCTETS, PAGE_OCTETS, PAGE_TOOLS};
use crate::tool::{Catalogue, Surroundings, Tool};

/// The tools, as a service.
#[derive(Debug)]
pub(crate) struct Server {
    catalogue: Catalogue,
    surroundings: Surroundings,
    room: Semaphore,
}

impl Server {
    pub(crate) fn new(catalogue: Catalogue, surroundings: Surroundings) -> Arc<Self> {
        Arc::new(Self {
            catalogue,
            surroundings,
            room: Semaphore::new(CALLS),
        })
    }

    async fn call(&self, request: CallToolRequestParams) -> Result<CallToolResult, ErrorData> {
        let Some(tool) = self.catalogue.named(&request.name) else {
            let name = head(&request.name, NAME_OCTETS);
            return Err(ErrorData::invalid_params(
                format!("Unknown tool: {name}"),
                None,
            ));
        };
        let Ok(_room) = self.room.try_acquire() else {
            let busy = format!("{CALLS} calls are under way: try again when one has ended");
            return Ok(failed(&CallError::new(busy)));
        };
        let arguments = request.arguments.unwrap_or_default();
        Ok(match tool.call(arguments, &self.surroundings).await {
            Ok(found) => answered(found),
            Err(error) => failed(&error),
        })
    }

    /// The tools from `start` on, as many as one page has, and where the next page starts.
    fn page(&self, start: usize) -> (Vec<Definition>, Option<usize>) {
        let mut octets = 0;
        let mut page = Vec::new();
        for tool in self.catalogue.tools.iter().skip(start) {
            octets += tool.schema_octets();
            if page.len() == PAGE_TOOLS || (octets > PAGE_OCTETS && !page.is_empty()) {
                let next = start + page.len();
                return (page, Some(next));
            }
            page.push(definition(tool));
        }
        (page, None)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let own = Implementation::new("ringfence-tools", env!("CARGO_PKG_VERSION"));
        let config = ServerConfig::new(capabilities).with_server_info(own);
        match &self.catalogue.instructions {
            Some(text) => config.with_instructions(text.clone()),
            None => config,
        }
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let cursor = request.and_then(|it| it.cursor);
        let start = match &cursor {
            None => 0,
            Some(cursor) => cursor
                .parse()
                .ok()
                .filter(|start| *start < self.catalogue.tools.len())
                .ok_or_else(|| ErrorData::invalid_params("Unknown cursor", None))?,
        };
        let (tools, next) = self.page(start);
        let mut result = ListToolsResult::with_all_items(tools);
        result.next_cursor = next.map(|next| next.to_string());
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        // What a call has started ends with it, so that dropping it is all.
        tokio::select! {
            result = self.call(request) => result.map(CallToolResponse::from),
            () = context.ct.cancelled() => Err(ErrorData::internal_error("cancelled", None)),
        }
    }
}

fn definition(tool: &Tool) -> Definition {
    let arguments = Arc::clone(tool.arguments.source());
    let mut definition = Definition::new(tool.name.clone(), tool.description.clone(), arguments);
    definition.title.clone_from(&tool.title);
    definition.output_schema = tool.result.as_ref().map(|it| Arc::clone(it.source()));
    definition.annotations = Some(ToolAnnotations::new().read_only(tool.is_read_only));
    definition
}

fn answered(found: Found) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(found.text)]);
    result.structured_content = found.value;
    result
}

fn failed(error: &CallError) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(error.to_string())])
}

#[cfg(test)]
mod tests;
