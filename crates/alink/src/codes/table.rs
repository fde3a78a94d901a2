//! The rows, by number.

use super::{Code, Entry};

macro_rules! codes {
    ($($name:ident $number:literal $title:literal $cause:literal $next:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($number);)*

        /// Every row, by number.
        pub const TABLE: &[Entry] =
            &[$(Entry { code: $name, title: $title, cause: $cause, next_step: $next }),*];
    };
}

codes! {
    HTTP_SUCCESS 0 "success"
        "The HTTP request was carried out."
        "Nothing to do.";
    SUCCESS 200 "success"
        "The request was carried out."
        "Nothing to do.";
    SERVICE_CALL_FAILED_ON_DEVICE 400 "service call failed"
        "The device could not carry out the service or the set."
        "Read the message and data of its reply, and look at the device's own log.";
    UNAUTHORIZED 401 "signature refused"
        "The signature shown for a sub-device does not fit its secret."
        "Check the secret, the sign method and the signed text: for a sub-device the whole client id counts, bars included.";
    SUB_SESSION_KICKED 427 "connected elsewhere with the same certificate"
        "The sub-device came online through another connection, and its session here was ended."
        "See that each sub-device has a certificate of its own and one gateway at a time.";
    TOO_MANY_ONLINE 428 "too many sub-devices online"
        "The gateway has as many sub-devices online as it may have."
        "Log some out, or spread them over more gateways.";
    TOO_MANY_REQUESTS 429 "too many requests"
        "Requests come faster than they are taken."
        "Slow down and repeat later; if the device itself says so, give it time.";
    INVALID_PARAMETER 460 "invalid parameter"
        "A parameter of the request is missing, of the wrong form or not allowed; setting a read-only property counts."
        "Compare the parameters with the protocol and with the product's TSL.";
    UNKNOWN_ERROR 500 "unknown exception"
        "Something failed that should not have: on the platform, or on the device if the code is its own."
        "Repeat it later; if it stays, tell the platform's operator with the trace id, or look at the device's own log.";
    NO_SUB_SESSION 520 "device session error"
        "The gateway sent something for a sub-device that has no session on this connection."
        "Log the sub-device in on this connection first, and again after every reconnect.";
    SUB_DEVICE_DELETED 521 "device was deleted"
        "The sub-device was deleted on the platform, and its session was ended."
        "Stop speaking for it; create it again if it is still needed.";
    SUB_DEVICE_DISABLED 522 "device was disabled"
        "The sub-device was disabled on the platform, and its session was ended."
        "Enable it on the platform and log it in again.";
    NO_SUCH_PRODUCT_OF_SUB 5005 "product not found"
        "No product of the account has the ProductKey given."
        "Check the ProductKey.";
    PROPERTY_INFORMATION_MISSING 5159 "property information not obtained from the TSL"
        "A property was reported, but the product has no published thing model."
        "Publish the product's thing model; if it is published, tell the platform's operator.";
    EVENT_MISSING 5160 "event not obtained from the TSL"
        "An event was reported, but the product has no published thing model."
        "Publish the product's thing model; if it is published, tell the platform's operator.";
    EVENT_INFORMATION_MISSING 5161 "event information not obtained from the TSL"
        "The definition of the event could not be read from the thing model."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    WRONG_PRODUCT_STATE 5244 "product metadata wrong"
        "The sub-device's product does not allow what was asked."
        "Check the product's node type and state.";
    NO_SUCH_DEVICE 6100 "device not found"
        "No device with that name is in the product."
        "Check ProductKey and DeviceName, and create the device if it is missing.";
    TOO_MANY_DESIRED 6104 "too many properties in one request"
        "A request about desired values names more than 200 properties."
        "Ask for fewer at a time.";
    TOO_MANY_PROPERTIES 6106 "too many properties"
        "One report carries more than 200 properties."
        "Split the report: fewer properties at a time.";
    NO_SCRIPT 6200 "no parsing script"
        "The product's devices send raw bytes, and no script is published that could make them."
        "Save and publish the product's script, then call again.";
    EMPTY_SCRIPT_RESULT 6201 "parsing result is empty"
        "The script returned null or nothing."
        "Run the script with the same input and mend the branch that returns nothing.";
    TOPIC_UNREADABLE 6203 "topic cannot be read"
        "The topic does not have the form that the request needs."
        "Compare the topic with the topic table.";
    DEVICE_DISABLED 6204 "device disabled"
        "The device is disabled on the platform."
        "Enable it, then repeat.";
    SERVICE_CALL_FAILED 6205 "service call failed"
        "The platform could not send the call."
        "Repeat it; if it stays, tell the platform's operator with the trace id.";
    SERVICE_NOT_DEFINED 6206 "service definition not found"
        "The product has no published thing model, or the model has no services."
        "Publish a model that defines the service.";
    DATA_FORMAT 6207 "data format error"
        "The message is not JSON of the right form, or what a script returned is not; a member given twice counts."
        "Compare the message with the protocol and the TSL.";
    CALL_ON_DISABLED 6208 "device disabled"
        "Services and sets are refused while the device is disabled."
        "Enable the device, then try again.";
    NO_SUCH_PRODUCT 6250 "product not found"
        "No product has the ProductKey given."
        "Check the ProductKey.";
    BAD_DEVICE_NAME 6280 "device name ill-formed"
        "The name is not 4 to 32 characters of letters, digits and - _ @ . :, as names are."
        "Choose a name of that form.";
    SUB_DEVICE_SIGNATURE 6287 "signature wrong"
        "The sub-device's signature does not fit its secret."
        "Check secret, sign method and signed text: the whole client id counts, bars included.";
    REGISTRATION_OFF 6288 "dynamic registration is off"
        "The product does not allow its devices to register by themselves."
        "Switch dynamic registration on for the product, or give the device its own certificate.";
    ALREADY_ACTIVE 6289 "device is already activated"
        "A device that has been online cannot register again."
        "Reset its secret or create it again, if it lost its certificate.";
    UNKNOWN_SIGN_METHOD 6292 "sign method unknown"
        "The sign method is none of hmacmd5, hmacsha1, hmacsha256."
        "Sign with one of these.";
    METHOD_NOT_FOUND 6300 "method parameter not found"
        "The message names another method than its topic, or an event or service that the TSL does not define."
        "Compare the method and the identifier with the product's published TSL.";
    TYPE_CHECK_FAILED 6301 "error while checking parameter types"
        "The check itself failed on the platform."
        "Tell the platform's operator, with the trace id.";
    REQUIRED_MISSING 6302 "a required parameter is missing"
        "An input or output that the TSL requires is not in the message."
        "Fill in all that the TSL requires.";
    STRUCT_MEMBER_NOT_FOUND 6304 "member not found in TSL"
        "A member of a struct, an input of a service or an output of an event is not defined in the TSL."
        "Take it out, or define it in the TSL and publish it.";
    NOT_INT32 6306 "not an integer as specified"
        "The value is no 32-bit integer, or outside of the TSL's min and max."
        "Open the TSL and send that type, in that range.";
    NOT_FLOAT 6307 "not a 32-bit float as specified"
        "The value is no number, or outside of the TSL's min and max or of a 32-bit float."
        "Open the TSL and send that type, in that range.";
    NOT_BOOL 6308 "not a boolean as specified"
        "The value is not 0 or 1, or not one that the TSL lists; true and false are not taken."
        "Send 0 or 1, as the TSL lists them.";
    NOT_ENUM 6309 "not an enum as specified"
        "The value is no integer, or not one that the TSL lists."
        "Open the TSL and send one of its values.";
    NOT_TEXT 6310 "not a text as specified"
        "The value is no text, or has more bytes than the TSL allows."
        "Send a text that is not longer than the TSL says, counted in bytes.";
    NOT_DATE 6311 "not a date as specified"
        "The value is not a text with a UTC time in milliseconds."
        "Send milliseconds since 1970 as a text, such as \"1700000000000\".";
    NOT_STRUCT 6312 "not a struct as specified"
        "The value is no object, or has another number of members than the TSL defines."
        "Send all members that the TSL defines, and no other.";
    MODEL_UNAVAILABLE 6313 "thing model service not available"
        "The platform's thing model service did not answer."
        "Repeat later; if it stays, tell the platform's operator.";
    TYPE_NOT_SUPPORTED 6314 "data type not supported"
        "The stored TSL has a data type that the platform does not know."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    PARAMETER_PARSE_ERROR 6316 "parse error of a TSL parameter"
        "A parameter of the stored TSL cannot be read."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    WRONG_TSL 6317 "the product's TSL is wrong"
        "The stored TSL breaks its own rules."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    TSL_PARSE_EXCEPTION 6318 "TSL parse exception"
        "The stored TSL cannot be read."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    PROPERTY_NOT_FOUND 6320 "property not found"
        "The property is not in the product's published TSL."
        "Define it in the TSL and publish it, or mend the device.";
    PROPERTY_IDENTIFIER_NOT_FOUND 6321 "property identifier not found in TSL"
        "The stored TSL has a property without its identifier."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    NOT_DOUBLE 6322 "not a 64-bit float as specified"
        "The value is no number, or outside of the TSL's min and max."
        "Open the TSL and send that type, in that range.";
    WRONG_PARAMETER_TYPE 6323 "wrong parameter type in TSL"
        "A parameter of the stored TSL has a type that it cannot have."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    NOT_ARRAY_AS_SPECIFIED 6324 "not an array as specified"
        "An element has the wrong type, or there are more elements than the TSL allows."
        "Open the TSL, and count the elements in the device's upstream log.";
    ELEMENT_TYPE_NOT_SUPPORTED 6325 "element type not supported"
        "The elements of an array are int32, float, double, text or struct."
        "Use one of these types.";
    NOT_ARRAY 6328 "not an array"
        "The value is no array."
        "Send an array, also for a single element.";
    ARRAY_SPECIFICATION 6329 "array specification in TSL cannot be parsed"
        "The stored TSL has an array whose specification cannot be read."
        "Publish the thing model again; if it stays, tell the platform's operator.";
    TOO_MANY_EVENTS 6356 "too many events"
        "One pack report carries more than 20 events."
        "Split the report.";
    TOO_MANY_SUB_DEVICES_IN_PACK 6357 "too many sub-devices in one report"
        "One pack report carries more than 20 sub-devices."
        "Split the report.";
    TOO_MANY_SUB_DEVICES 6400 "too many sub-devices"
        "The gateway has as many sub-devices as it may have."
        "Remove some from its topology, or use another gateway.";
    NO_TOPOLOGY 6401 "no such topological relationship"
        "The sub-device does not belong to this gateway."
        "Add it to the gateway's topology first.";
    OWN_SUB_DEVICE 6402 "a gateway cannot be its own sub-device"
        "The gateway named itself in the topology."
        "Name the sub-device.";
    METHOD_MISSING 6450 "method missing in Alink data"
        "The method is there but no text, or what a script returned has none."
        "Send the method as a text, or let the script fill it in.";
    THROTTLED 6452 "throttled"
        "The device or its account is over its report rate."
        "Slow down, put several values into one report, or raise the limit.";
    REGISTRATION_SIGNATURE 6600 "signature wrong"
        "The registration's signature does not fit the ProductSecret."
        "Check the ProductSecret, the sign method and the random text that was signed.";
    BOUND_ELSEWHERE 6619 "bound to another gateway"
        "The sub-device hangs on another gateway."
        "Remove it there first.";
    TENANT_LOOKUP_FAILED 6661 "tenant lookup failed"
        "The platform could not find the account of the device."
        "Tell the platform's operator, with the trace id.";
    NO_CONFIGURATION 6710 "no configuration saved"
        "The product has no remote configuration yet."
        "Save a configuration for the product.";
    CONFIGURATION_OFF 6713 "remote configuration is off"
        "Remote configuration is disabled for the product."
        "Enable it for the product.";
    STORAGE_QUOTA 6760 "tenant storage quota exceeded"
        "The account's budget of stored events is used up."
        "Raise the budget, or clean up.";
    OTA_NO_SUCH_DEVICE 9112 "device not found"
        "The device that asks for firmware is not known."
        "Check ProductKey and DeviceName.";
    NOT_ACTIVATED 9200 "device not activated"
        "The device has never connected."
        "Look at its status and connect it once.";
    OFFLINE 9201 "device offline"
        "The device is not connected."
        "Look at its status, and at its activity log for why it went.";
    HTTP_COMMON 10000 "common error"
        "The HTTP request failed for a reason without a code of its own."
        "Read the message; repeat later.";
    HTTP_PARAMETER 10001 "parameter error"
        "A field, header or the topic of the HTTP request is missing or wrong."
        "Compare the request with the protocol.";
    HTTP_AUTHENTICATION 20000 "authentication failed"
        "The signature, the names or the state of the device do not allow it in."
        "Check certificate, sign method and signed text.";
    HTTP_TOKEN_EXPIRED 20001 "token expired"
        "The token is older than it may be."
        "Authenticate anew.";
    HTTP_TOKEN_MISSING 20002 "token missing"
        "The request has no token in its password header."
        "Authenticate, and send the token with every publish.";
    HTTP_TOKEN_WRONG 20003 "token wrong"
        "The token is none that was given out, or has been replaced."
        "Authenticate anew.";
    HTTP_SESSION 20004 "session not updated"
        "The device's session could not be written."
        "Authenticate anew, a little later.";
    SCRIPT_EMPTY 26001 "script is empty"
        "A raw message came up and no script is published; a draft never parses live data."
        "Save and publish the product's script.";
    SCRIPT_FAILED 26002 "script failed while running"
        "The script has a syntax error, threw an exception, or used up its time or memory."
        "Run it with the same input, mend it, and check with care before publishing.";
    SCRIPT_METHOD_MISSING 26006 "required method missing"
        "The script must define both protocolToRawData and rawDataToProtocol."
        "Define both.";
    SCRIPT_RESULT_TYPE 26007 "wrong result type"
        "protocolToRawData must return bytes and rawDataToProtocol an object; the platform's reply to a raw report is turned into bytes too."
        "Run both functions with the input and check what they return.";
    SCRIPT_THROTTLED 26010 "throttled"
        "More script runs a second than the product may have, or the script is paused after failing too often."
        "Slow down, or mend the script.";
    HTTP_PUBLISH 30001 "publish failed"
        "The message could not be handed over."
        "Repeat it.";
    HTTP_TOO_MANY 40000 "too many requests"
        "Requests come faster than they are taken."
        "Slow down and repeat later.";
}
