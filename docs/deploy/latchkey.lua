-- Asks Latchkey about a request, at the address that LATCHKEY_FORWARD_AUTH says. Needs HAProxy 2.6 or newer,
-- and nothing else. What passes is marked with the variable txn.latchkey.
local address = assert(os.getenv("LATCHKEY_FORWARD_AUTH"), "Set LATCHKEY_FORWARD_AUTH before lua-load.")

local identity = {
	"user-id", "external-id", "user-email", "user-email-verified", "user-role",
	"session-id", "abilities", "time", "actor",
}
local passed_on = { "content-type", "www-authenticate", "cache-control", "retry-after" }
local unavailable =
	'{"errors":[{"code":"E_UNAVAILABLE","message":"The service is not available for a moment. Try again."}]}'

-- Headers begin with index 0, and a header may be there several times.
local function each(values)
	local list = {}
	for index = 0, values and #values or -1 do list[#list + 1] = values[index] end
	return list
end

local function refuse(txn, status, headers, body)
	local reply = txn:reply({ status = status })
	for _, header in ipairs(headers) do reply:add_header(header[1], header[2]) end
	reply:set_body(body)
	txn:done(reply)
end

core.register_action("latchkey", { "http-req" }, function(txn)
	local asked = {
		["x-forwarded-method"] = { txn.sf:method() },
		["x-forwarded-proto"] = { txn.sf:ssl_fc() == 1 and "https" or "http" },
		["x-forwarded-host"] = { txn.sf:req_hdr("host") },
		["x-forwarded-uri"] = { txn.sf:pathq() },
	}
	local headers = txn.http:req_get_headers()
	for _, name in ipairs({ "authorization", "dpop", "user-agent" }) do
		local values = each(headers[name])
		if #values > 0 then asked[name] = values end
	end

	local answer = core.httpclient():get({ url = address, headers = asked, timeout = 5000 })
	if answer.status == 200 and answer.headers["x-auth-user-id"] then
		for _, name in ipairs(identity) do
			local value = each(answer.headers["x-auth-" .. name])[1] or ""
			if value ~= "" then txn.http:req_set_header("X-Auth-" .. name, value) end
		end
		txn:set_var("txn.latchkey", "passed")
	elseif answer.status == 401 then
		local told = {}
		for _, name in ipairs(passed_on) do
			for _, value in ipairs(each(answer.headers[name])) do told[#told + 1] = { name, value } end
		end
		refuse(txn, 401, told, answer.body)
	else
		refuse(txn, 503, { { "content-type", "application/json" }, { "retry-after", "1" } }, unavailable)
	end
end, 0)
